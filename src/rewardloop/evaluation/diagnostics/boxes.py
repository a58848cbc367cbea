"""How much a log over a box says about other policies: what was drawn at all, and how much of it tells of the whole box."""

from __future__ import annotations

import math

import numpy as np

from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.interactions import Interactions

MIN_ESS = 100.0
_MOSTLY = 0.9


def is_box(log: Interactions) -> bool:
    """Whether actions are points of a box, and not arms or the cells of a range."""
    return bool(len(log)) and log.actions[0].ranges is not None


def box_exploration(usable: Interactions) -> tuple[Finding, ...]:
    """Of at least one event over a box."""
    ranges = usable.actions[0].ranges
    assert ranges is not None
    density = usable.box.density if usable.box is not None else np.full(len(usable), np.nan)
    drawn = np.isfinite(density) & (density > 0)
    share = float(drawn.mean())
    if share < _MOSTLY:
        told = (
            f"{share:.1%} of decisions have a density; the others asked for no exploration, or were logged before there were any."
        )
        consequence = "The gate leaves them out: it judges by the others alone."
        first = Finding(
            "exploration", "warning" if drawn.any() else "error", told, {"drawn": share}, consequence, "Decide with `explore`."
        )
    else:
        first = Finding("exploration", "ok", f"{share:.1%} of decisions were drawn, with their density.", {"drawn": share})
    volume = math.prod(high - low for low, high in zip(*ranges, strict=True))
    ess = effective_sample_size(1.0 / (volume * density[drawn])) if drawn.any() else 0.0
    numbers = {"ess": ess, "events": float(len(usable))}
    told = f"{len(usable):,} events tell as much of a policy that draws from all of the box as {ess:,.1f} of its own."
    if ess >= MIN_ESS:
        return first, Finding("overlap", "ok", told, numbers)
    consequence = "Policies that act otherwise than the logged one cannot be judged: the gate says insufficient support."
    return first, Finding("overlap", "warning", told, numbers, consequence, "Raise `policy.floor`, or wait for more events.")
