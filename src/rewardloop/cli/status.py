"""`rewardloop status`: what is hosted, what was learned, where every record went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from rewardloop.cli.asking.meant import known_settings, settings_of
from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.telling.account import account
from rewardloop.cli.telling.on_trial import on_trial
from rewardloop.cli.telling.printing import console, instant, print_facts, print_json, print_table
from rewardloop.cli.telling.status_report import MODELS, model_row, renderers
from rewardloop.cli.telling.writing import ReportFiles, check_reports, write_reports
from rewardloop.errors import InvalidInput
from rewardloop.loop.experiment import Experiment
from rewardloop.loop.status import Status, statuses

SHOWN_MODELS = 10
ENDINGS = {"promote": "promoted", "abort": "ended", "roll back": "taken back"}


def status(
    experiment: Annotated[str | None, Parameter(help="By name, or its YAML file; by default all.")] = None,
    /,
    *,
    report: ReportFiles = (),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    check_reports(report)
    found = _statuses(experiment, data)
    if report:
        _write(found, report, data)
    unread = [_unread(each.experiment, data) for each in found]
    if json:
        print_json([{**msgspec.structs.asdict(each), "unread": n} for each, n in zip(found, unread, strict=True)])
        return
    if not found:
        console.print(f"No experiment in {data} yet. `rewardloop init` writes one; `serve` and `run` take it in.")
    for i, each in enumerate(found):
        if i:
            console.print()
        _print(each, unread[i])


def _write(found: list[Status], paths: tuple[Path, ...], data: Path) -> None:
    if len(found) != 1:
        raise InvalidInput(f"Expected the one experiment that the report is of, got {len(found)}; name it", at="--report")
    with Experiment.open(found[0].experiment, data) as opened:
        write_reports(paths, renderers(found[0], opened.progress(), opened.judged()))


def _statuses(experiment: str | None, data: Path) -> list[Status]:
    if experiment is None:
        return statuses(data) if data.exists() else []
    name = settings_of(experiment, data).experiment
    if known_settings(name, data) is not None:
        open_experiment(experiment, data).close()  # A file that was changed is taken in.
    return statuses(data, name)


def _unread(experiment: str, data: Path) -> int:
    """Records in the log that the loop has not collected yet."""
    with Experiment.open(experiment, data) as opened:
        return opened.unread()


def _waiting(state: Status, unread: int) -> list[tuple[str, str]]:
    """What the account does not count yet, and since when: whether a loop keeps up, or is running at all."""
    joined = f"the last join was at {instant(state.joined_at)}" if state.joined_at is not None else "there was no join yet"
    return [("not joined", f"{unread:,} newer in the log; {joined}. `run` accounts for them")] if unread else []


def _print(state: Status, unread: int) -> None:
    hosted = f"{state.hosted}, since {instant(state.hosted_at)}" if state.hosted_at else f"{state.hosted}, uniform: no model yet"
    console.print(f"[bold]{state.experiment}[/]  {state.exploration}")
    print_facts([("hosted", hosted), *account(state.ledger), *_waiting(state, unread)], "  ")
    if state.mode != "online":
        learned = state.apprentice.summary if state.apprentice else "nothing is learned" * (state.mode == "logging_only")
        print_facts([("mode", f"{state.mode.replace('_', ' ')}: the baseline decides. {learned}")], "  ")
    if state.trial:
        print_facts(on_trial(state.trial), "  ")
    if ended := [step for step in state.rollouts if not step.is_open]:
        name = "trial before" if state.trial else "last trial"
        print_facts(
            [(name, f"{ended[-1].challenger}: {ENDINGS[ended[-1].kind]}, {instant(ended[-1].at)}. {ended[-1].reason}")], "  "
        )
    if state.warning:
        console.print(f"  [yellow]Careful:[/] {state.warning}.")
    if state.drift:
        console.print(f"  [yellow]Drift:[/] {state.drift}.")
    if state.models:
        console.print()
        print_table(MODELS, [model_row(model, state) for model in state.models[-SHOWN_MODELS:]], "  ")
    if (older := len(state.models) - SHOWN_MODELS) > 0:
        console.print(f"  [dim]and {older} older: --json shows them[/]")
