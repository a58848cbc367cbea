"""How much a log says about other policies than the one that wrote it: overlap, rare actions, weight tail, exploration."""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.diagnostics.finding import Finding, Severity
from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.interactions import Floats, Interactions
from rewardloop.lake.observed import Observed

MIN_ESS = 100.0
"""As the strict gate asks."""
MIN_TAKEN = 10
"""An action taken less often is known from hearsay."""
_OFFERED = 100
"""Actions offered less often come and go: not judged one by one."""
_HEAVY = 0.1
"""One event may carry this share of all weight."""
_SURE = 0.99
_ALL_SURE, _MOSTLY_SURE = 0.995, 0.9


def overlap(usable: Interactions) -> Finding:
    """Effective sample size of the uniform policy: how many events say something about what the log did rarely."""
    if not len(usable):
        return Finding("overlap", "note", "No usable event.")
    ess = effective_sample_size(_weights(usable))
    numbers = {"ess": ess, "events": float(len(usable))}
    if ess >= MIN_ESS:
        return Finding(
            "overlap", "ok", f"{_events(len(usable))} as much of a uniform policy as {ess:,.0f} of its own would.", numbers
        )
    return Finding(
        "overlap",
        "warning",
        f"{_events(len(usable))} no more of a uniform policy than {ess:,.0f} of its own would.",
        numbers,
        "Estimates of policies that differ much from the logged one rest on a handful of events; their intervals promise too much.",
        "Explore more (`policy.floor`, `policy.epsilon`), wait for more events, or compare only policies close to the logged one.",
    )


def rare_actions(usable: Interactions) -> Finding:
    """Actions often on offer and hardly ever taken."""
    if not len(usable):
        return Finding("rare_actions", "note", "No usable event.")
    number, ids = action_numbers(usable.actions)
    n_actions = len(ids)
    offered, taken = np.bincount(number, minlength=n_actions), np.bincount(number[usable.chosen], minlength=n_actions)
    rare = np.flatnonzero((offered >= _OFFERED) & (taken < MIN_TAKEN))
    numbers = {"actions": float(n_actions), "rare": float(len(rare))}
    if not len(rare):
        return Finding(
            "rare_actions",
            "ok",
            f"None of {n_actions:,} actions was offered {_OFFERED} times and taken fewer than {MIN_TAKEN}.",
            numbers,
        )
    names = list(ids)
    told = ", ".join(f"`{names[i]}` {taken[i]} of {offered[i]:,}" for i in rare[:5]) + (" …" if len(rare) > 5 else "")
    return Finding(
        "rare_actions",
        "warning",
        f"{len(rare):,} of {n_actions:,} actions were hardly ever taken when offered: {told}.",
        numbers,
        "A policy that chooses them cannot be evaluated: its estimate is a guess of the reward model.",
        "Give every action a floor (`policy.floor`), or take them off the offer.",
    )


def weight_tail(usable: Interactions) -> Finding:
    """Whether a single event carries a tenth of all weight of the uniform policy."""
    weight = _weights(usable)
    total = float(weight.sum())
    if total == 0.0:
        return Finding("weight_tail", "note", "No usable event.")
    largest, row = float(weight.max()), int(weight.argmax())
    numbers = {"largest": largest, "share": largest / total, "least_probability": float(usable.probability.min())}
    if largest < _HEAVY * total or len(usable) < 2 / _HEAVY:
        return Finding("weight_tail", "ok", f"No event dominates: the largest weight is {largest:.3g}.", numbers)
    return Finding(
        "weight_tail",
        "warning",
        f"Event `{usable.event_ids[row]}` (probability {usable.probability[row]:.2g}) carries {largest / total:.0%} of all weight.",
        numbers,
        "IPS and DR swing with this one reward.",
        "Trust `snips` and `cressie_read`, raise `policy.floor`, or wait.",
    )


def exploration(log: Observed, usable: Interactions) -> Finding:
    """Decisions that left no choice, and those asked for without exploration."""
    if not len(usable):
        return Finding("exploration", "note", "No usable event.")
    sizes = np.diff(usable.offsets)
    free = sizes > 1
    sure = float((usable.probability[free] >= _SURE).mean()) if free.any() else 1.0
    greedy = float(1 - log.explored.mean())
    numbers = {"sure": sure, "not_explored": greedy, "one_action": float(1 - free.mean())}
    asked = f" {greedy:.1%} of events were asked for without exploration." if greedy else ""
    if sure < _MOSTLY_SURE:
        severity: Severity = "note" if asked else "ok"
        share = f"{sure:.1%} of decisions" if sure else "No decision"
        return Finding("exploration", severity, f"{share} had a probability of {_SURE} or more.{asked}", numbers)
    return Finding(
        "exploration",
        "error" if sure >= _ALL_SURE else "warning",
        f"{sure:.1%} of decisions had a probability of {_SURE} or more: this log hardly explores.{asked}",
        numbers,
        "No other policy can be evaluated, and a model learns only what it believed already.",
        "Set `policy.floor` to .02 or more and do not send `explore: false` for ordinary traffic.",
    )


def _events(n: int) -> str:
    return f"{n:,} events tell" if n != 1 else "One event tells"


def _weights(usable: Interactions) -> Floats:
    return np.asarray(1 / (np.diff(usable.offsets) * usable.probability), dtype=np.float64)
