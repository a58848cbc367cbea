"""`rewardloop power`: how many events until a difference is seen?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from cyclopts import Parameter, validators

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.asking.target import OfferedActions, Only, observed
from rewardloop.cli.telling.printing import console, print_json, print_table, warn
from rewardloop.errors import InvalidInput
from rewardloop.evaluation.diagnostics.size import one_experiment
from rewardloop.evaluation.diagnostics.usable import by_reason, sift
from rewardloop.evaluation.planning.learnability import MAX_EVENTS, MIN_ESS, policy_scores
from rewardloop.evaluation.planning.power import Plan, detectable, events_needed, planned_spread, spread
from rewardloop.exchange.named import check_one
from rewardloop.lake.observed import NEWEST

_SHARE = Parameter(validator=validators.Number(gt=0, lt=1))


class Needed(msgspec.Struct, frozen=True):
    """One comparison: how much its paired scores scatter, and what follows."""

    comparison: str
    sd: float
    events: int
    """Evaluated (held-out) events until the difference is seen."""
    decisions: int
    """Decisions until so many are held out."""
    detectable: float | None
    """The smallest difference that the log's own events show; None without a log."""


def power(
    target: Annotated[
        str | None, Parameter(help="An experiment or a file, as for `doctor`; without it, a plan by the options below.")
    ] = None,
    /,
    *,
    delta: Annotated[float, Parameter(help="The difference in mean reward that must not be missed.")],
    level: Annotated[float, _SHARE, Parameter(help="Confidence level of the two-sided interval.")] = 0.95,
    power: Annotated[float, _SHARE, Parameter(help="Chance to see the difference, if it is there.")] = 0.8,
    arms: Annotated[int, Parameter(help="A plan: number of arms.")] = 2,
    floor: Annotated[float, Parameter(help="A plan: share of decisions spread over all arms.")] = 0.02,
    rate: Annotated[float | None, Parameter(help="A plan: mean reward, of rewards 0 or 1.")] = None,
    changed: Annotated[float, Parameter(help="A plan: share of contexts in which the new policy prefers another arm.")] = 1.0,
    actions: OfferedActions = None,
    only: Only = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    if (target is None) == (rate is None):
        got = "both" if target else "neither"
        raise InvalidInput(f"Expected a log or, for a plan, --rate, got {got}; see: rewardloop power --help", at="TARGET")
    if rate is not None:
        plan = Plan(arms=arms, floor=floor, rate=rate, changed=changed)
        spreads, n, share = {"candidate − hosted": planned_spread(plan, delta)}, 0, 1.0
    else:
        spreads, n, share = _spreads(str(target), actions, only, data)
    for name in (name for name, sd in spreads.items() if sd == 0):
        warn(f"{name}: the same policy, so there is no difference to wait for")
    rows = [_needed(name, sd, delta, n, share, level=level, power=power) for name, sd in spreads.items() if sd > 0]
    if json:
        print_json({"delta": delta, "level": level, "power": power, "n": n, "held_out": share, "needed": rows})
        return
    _print(rows, delta, n, share, power=power)


def _needed(name: str, sd: float, delta: float, n: int, share: float, *, level: float, power: float) -> Needed:
    events = events_needed(sd, delta, level=level, power=power)
    seen = detectable(sd, n, level=level, power=power) if n else None
    return Needed(name, sd, events, int(np.ceil(events / share)), seen)


def _spreads(target: str, actions: str | None, only: str | None, data: Path) -> tuple[dict[str, float], int, float]:
    """Scatter of the paired scores by comparison, the events they come from, and the share of decisions that is held out."""
    log = observed(target, actions, only, data, NEWEST)
    check_one(log.experiments if only is None else {}, target)
    apart = one_experiment(log)
    if apart.severity == "warning":
        warn(f"{apart.sentence} {apart.remedy}")
    usable, excluded = sift(log.interactions)
    left_out = excluded | {reason: refused.n for reason, refused in log.refused.items()}
    if n := sum(left_out.values()):
        warn(f"{n:,} {'rows were' if n > 1 else 'row was'} left out: {by_reason(left_out)}; see `rewardloop doctor {target}`")
    events = log.interactions.take(np.flatnonzero(usable)[-MAX_EVENTS:])
    scores = policy_scores(events)
    if scores.ess[3] < MIN_ESS:
        warn(f"The fitted policy has an effective sample of {scores.ess[3]:.1f} events: the true scatter is larger than seen here")
    spreads = {
        "fitted − logged": spread(scores.fitted - scores.logged),
        "fitted − best fixed": spread(scores.fitted - scores.best_fixed),
        "fitted − uniform": spread(scores.fitted - scores.uniform),
    }
    return spreads, len(events), 1.0 if log.train_ratio is None or log.train_ratio == 1 else 1 - log.train_ratio


def _print(rows: list[Needed], delta: float, n: int, share: float, *, power: float) -> None:
    header = ("comparison", ">scatter", f">events for {delta:g}", f">decisions at {share:.0%} held out", f">seen with {n:,}")
    cells = [
        (
            row.comparison,
            f"{row.sd:.3g}",
            f"{row.events:,}",
            f"{row.decisions:,}",
            "" if row.detectable is None else f"{row.detectable:.2g}",
        )
        for row in rows
    ]
    columns = [0, 1, 2, *([3] if share < 1 else []), *([4] if n else [])]
    print_table([header[i] for i in columns], [[row[i] for i in columns] for row in cells])
    console.print(
        f"A difference of {delta:g} is then seen {power:.0%} of the time, looked at once; the strict gate, which may look often, "
        "needs about twice as many. Events are evaluated ones, not all decisions."
    )
