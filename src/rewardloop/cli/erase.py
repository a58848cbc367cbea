"""`rewardloop erase`: forget events for good."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console, print_json, warn
from rewardloop.clock import SECOND
from rewardloop.errors import DirectoryInUse, InvalidInput
from rewardloop.loop.erasing import Outcome
from rewardloop.loop.erasure_files import Wanted, parse_where

_ASKED = "Asked for: `rewardloop run`, which holds the experiment, erases within its next turn"


def erase(
    experiment: ExperimentName,
    /,
    *,
    event: Annotated[list[str] | None, Parameter(negative=(), help="An event's id; repeat it for more.")] = None,
    where: Annotated[
        list[str] | None, Parameter(negative=(), help="context.NAME=VALUE; repeat it: events that have all of them.")
    ] = None,
    until: Annotated[datetime | None, Parameter(help="Everything recorded up to this instant, UTC where it names no zone.")] = None,
    rebuild: Annotated[
        bool,
        Parameter(negative=(), show_default=False, help="Then host a model trained anew, and delete those that learned from it."),
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Only say how much there is, as of the last join.")
    ] = False,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> int:
    at = -1 if until is None else int((until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() * SECOND)
    wanted = Wanted(event_ids=tuple(event or ()), where=parse_where(tuple(where or ())), until=at)
    if rebuild and dry_run:
        raise InvalidInput("Expected --rebuild or --dry-run, got both: a dry run changes nothing")
    with open_experiment(experiment, data) as opened:
        try:
            outcome = opened.erasing.look(wanted) if dry_run else opened.erase(wanted)
            made = opened.replace_tainted() if rebuild and outcome.done else None
        except DirectoryInUse:
            console.print(_ASKED + (". Its next model begins anew" if rebuild else ""))
            return 0
    if json:
        print_json(outcome)
    else:
        _say(outcome, opened.settings.experiment, dry_run=dry_run, rebuilt=rebuild and outcome.done)
        if made is not None:
            console.print(f"[bold]{made.model_id}[/] is hosted, which learned from none of them")
    return 0 if outcome.done or dry_run else 1


def _say(outcome: Outcome, experiment: str, *, dry_run: bool, rebuilt: bool) -> None:
    verb = "As of the last join: would erase" if dry_run else "Erased" if outcome.done else "Erased from the lake"
    console.print(f"{verb} {outcome.decisions:,} decisions and {outcome.rewards:,} rewards; {outcome.closed:,} had closed")
    if outcome.models:
        names = ", ".join(outcome.models[:8]) + (" …" if len(outcome.models) > 8 else "")
        told = f"{len(outcome.models):,} models may have learned from them ({names})"
        if rebuilt:
            console.print(f"{told}: deleted")
        else:
            warn(f"{told}, and are kept until another is hosted. Train one from what is left, and host it: the same with --rebuild")
    if outcome.left:
        warn(f"Still in {', '.join(outcome.left)}, which is written or was put aside as damaged: erase again, or delete it")
