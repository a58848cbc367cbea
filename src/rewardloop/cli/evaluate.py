"""`rewardloop evaluate`: is the new model better than the hosted one; is a policy better than what a log did?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter, validators
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ModelId
from rewardloop.cli.asking.target import Events, OfferedActions, Only, is_log_file
from rewardloop.cli.telling.printing import console, print_json, print_table, warn
from rewardloop.cli.telling.writing import ReportFiles, check_reports, write_reports
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import EvaluationReport, GateReport, RankedReport, evaluate_file
from rewardloop.lake.observed import NEWEST
from rewardloop.reports import evaluation_page, evaluation_picture, ranked_table
from rewardloop.settings import GateSettings

GATE_SAID_NO = 3


def evaluate(
    target: Annotated[str, Parameter(help="An experiment, by name or YAML; or a file: CSV, JSON lines, Parquet, dsjson.")],
    model_id: ModelId | None = None,
    /,
    *,
    report: ReportFiles = (),
    candidate: Annotated[
        str | None,
        Parameter(
            name=["--candidate", "-c"],
            help="Of a file: the column of what the policy would do: an action's id, or a distribution, {id: probability}.",
        ),
    ] = None,
    hosted: Annotated[
        str | None, Parameter(help="Of a file: the column of what it is compared with. By default what was logged.")
    ] = None,
    rule: Annotated[
        Literal["strict", "no_harm"], Parameter(help="Of a file: what must be shown. strict: that it is better. no_harm: no harm.")
    ] = "strict",
    actions: OfferedActions = None,
    only: Only = None,
    events: Annotated[Events, Parameter(validator=validators.Number(gte=2))] = NEWEST,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    check_reports(report)
    if is_log_file(target):
        columns = _columns(target, model_id, candidate, hosted)
        offered = actions.split(",") if actions else None
        found = evaluate_file(Path(target), *columns, GateSettings(rule=rule), actions=offered, only=only, newest=events)
        gate = _written(found, report)
    else:
        _refuse_of_file(target, {"--candidate": candidate, "--hosted": hosted, "--actions": actions, "--only": only})
        gate = _of_experiment(target, model_id, report, data)
    if json:
        print_json(gate)
    else:
        _print(gate)
    sys.exit(0 if gate.passed else GATE_SAID_NO)


def _of_experiment(name: str, model_id: str | None, paths: Sequence[Path], data: Path) -> GateReport:
    with open_experiment(name, data) as opened:
        gate = _written(opened.report(model_id), paths) if paths else opened.evaluate(model_id)
        if not opened.catalog.writable:
            warn(f"{data} cannot be written: this is as of the last join, and the verdict is not recorded")
    return gate


def _columns(target: str, model_id: str | None, candidate: str | None, hosted: str | None) -> tuple[str, str | None]:
    if model_id is not None:
        raise InvalidInput(f"Expected no model beside the file `{target}`: --candidate names a column of it", at="MODEL_ID")
    if candidate is None:
        asked = f"what the policy would do with each row of `{target}`; see: rewardloop evaluate --help"
        raise InvalidInput(f"Expected --candidate COLUMN: {asked}", at="--candidate")
    return candidate, hosted


def _refuse_of_file(target: str, options: Mapping[str, str | None]) -> None:
    for option, value in options.items():
        if value is not None:
            raise InvalidInput(f"Expected a file of decisions, got the experiment `{target}`: its candidates are models", at=option)


def _written(found: EvaluationReport, paths: Sequence[Path]) -> GateReport:
    """What the gate said, once the reports are on disk."""
    page, picture = (lambda: evaluation_page(found)), (lambda: evaluation_picture(found))
    write_reports(paths, {".html": page, ".png": picture, ".json": found.to_json})
    if (n := found.subject.n_events) > found.subject.n_held_out and found.subject.from_file:
        warn(f"Only the newest {found.subject.n_held_out:,} of {n:,} rows were looked at; more: --events {n}")
    return found.gate


def _print(report: GateReport) -> None:
    rows = [
        (policy, estimator, f"{found.value:.4f}", f"{found.lower:.4f} … {found.upper:.4f}", f"{found.n:,}", f"{found.ess:,.0f}")
        for policy, estimator, found in report.rows()
    ]
    if rows:
        level = report.logged.level if report.logged else 0.95
        print_table(("policy", "estimator", ">value", f">{level:.0%} interval", ">events", ">effective"), rows)
        console.print()
    if report.rankings is not None:
        _print_rankings(report.rankings)
    if report.excluded:
        told = "; ".join(f"{n:,} × {reason}" for reason, n in report.excluded.items())
        console.print(f"{sum(report.excluded.values()):,} held-out events were left out: {escape(told)}")
    for rule in report.rules:
        console.print(f"{'[green]✓[/]' if rule.passed else '[red]✗[/]'} {escape(rule.sentence)}")
    console.print(f"[bold]{escape(report.summary)}[/]")


def _print_rankings(found: RankedReport) -> None:
    console.print(f"Whole rankings ({found.n_incomplete:,} incomplete, not used):")
    if found.kinds:
        shown = ranked_table(found)
        print_table(shown.header, shown.rows)
    console.print()
