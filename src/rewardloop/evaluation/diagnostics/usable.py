"""Rows that no estimator can use: impossible or missing probabilities, no reward, an action that was not offered."""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.evaluation.screening import Mask, screen
from rewardloop.interactions import Interactions
from rewardloop.lake.observed import Observed

TOLERATED = 0.001
"""A smaller share of faulty rows is a warning: it cannot move a mean by much."""
LARGEST_REWARD = 1e30
"""As for every number in settings and contexts: its square still is one."""
LEAST_PROBABILITY = 1e-12
"""Nobody sees such an action chosen; its weight would drown all others."""
_SHOWN = 5
_SHOWN_REASONS = 12


def usable_rows(log: Observed) -> Finding:
    """Counts the rows that were left out, by reason, and names the first."""
    usable, excluded = sift(log.interactions)
    reasons = {**excluded, **{reason: refused.n for reason, refused in log.refused.items()}}
    n, bad = len(log) + sum(refused.n for refused in log.refused.values()), sum(reasons.values())
    if not bad:
        return Finding("rows", "ok", f"{_all(n)} can be used: a reward, and a probability in (0, 1].", {"rows": n, "left_out": 0})
    return Finding(
        "rows",
        "error" if bad > TOLERATED * n else "warning",
        f"{bad:,} of {n:,} {'rows were' if n != 1 else 'row was'} left out: {by_reason(reasons)}. First: {_first(log, usable)}.",
        {"rows": n, "left_out": bad, **{reason: float(count) for reason, count in reasons.items()}},
        "If these rows differ from the others, every estimate leaves out what they would have said; with no valid probability, "
        "nothing can be estimated of any other policy.",
        "Log, in the instant of the decision, the number the action was sampled with, and the reward as a finite number.",
    )


def sift(interactions: Interactions) -> tuple[Mask, dict[str, int]]:
    """(n,) the usable events, and how many were left out by reason: what the gate leaves out, and numbers beyond arithmetic."""
    usable, excluded = screen(interactions)
    beyond = {
        "the reward is beyond ±1e30": ~(np.abs(interactions.reward) <= LARGEST_REWARD),
        "the logged probability is below 1e-12": ~(interactions.probability >= LEAST_PROBABILITY),
    }
    for reason, faulty in beyond.items():
        if n := int((faulty & usable).sum()):
            excluded = {**excluded, reason: n}
        usable = usable & ~faulty
    return usable, excluded


def by_reason(reasons: dict[str, int]) -> str:
    """How many rows for which reason, the most frequent first.

    >>> by_reason({"No reward": 2, "not JSON": 30})
    '30 × not JSON; 2 × no reward'
    """
    most = sorted(reasons.items(), key=lambda item: -item[1])
    told = [f"{n:,} × {reason[:1].lower()}{reason[1:]}" for reason, n in most[:_SHOWN_REASONS]]
    others = [n for _, n in most[_SHOWN_REASONS:]]
    for_others = f"{sum(others):,} for {len(others)} more {'reasons' if len(others) > 1 else 'reason'}, which --json names"
    return "; ".join([*told, *([for_others] if others else [])])


def _all(n: int) -> str:
    return f"All {n:,} rows" if n != 1 else "The one row"


def _first(log: Observed, usable: Mask) -> str:
    events = [f"`{log.interactions.event_ids[i]}`" for i in np.flatnonzero(~usable)[:_SHOWN]]
    lines = sorted(line for refused in log.refused.values() for line in refused.lines)[:_SHOWN]
    return ", ".join([*events, *(f"line {line}" for line in lines)][:_SHOWN])
