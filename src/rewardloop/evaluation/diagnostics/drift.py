"""Does the second half of the log look like the first? Contexts feature by feature, rewards action by action.

The events come in the order they were decided in, and all of them old enough to have their reward: of the youngest, only the
rewarded ones are known.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, stdtr

from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.diagnostics.finding import ALPHA, Finding
from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.evaluation.screening import Mask
from rewardloop.features import Features
from rewardloop.ids import part_of
from rewardloop.interactions import Floats, Interactions, Ints

MAX_ROWS = 20_000
"""Contexts looked at, evenly spread over the log."""
MAX_FEATURES = 200
MAX_WORDS = 30
"""Words of a feature told apart; rarer ones count together."""
_CELL = 10
"""Cells of a χ² test hold at least so many, five a half."""
_NOTABLE = 0.05
"""A distance (KS, or total variation) below this is real and small: no warning."""
_FEW = 100
_MIN_ESS = 50.0
_COVERED = 0.8
"""Σ 1/p of the events that took an action, over how many offered it: 1 on average. Well below, the contexts where it is rarely
taken have not been seen with it, and its mean is that of the contexts it suits.
"""


class _Shift(NamedTuple):
    feature: str
    p: float
    distance: float
    psi: float


def context_drift(usable: Interactions) -> Finding:
    """KS (numbers) or χ² (words, and whether a feature is there) of the halves, Bonferroni over features. Level `ALPHA`."""
    rows = _once_each(usable.event_ids)
    if len(rows) < 2 * _FEW:
        return Finding("context_drift", "note", "Not checked: fewer than 200 usable events whose window has passed.")
    kept = rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(np.int64)]
    contexts = [usable.contexts[i] for i in kept]
    half = len(contexts) // 2
    first, second = contexts[:half], contexts[half:]
    counts = Counter(name for context in contexts for name in context)
    names = [name for _, name in sorted((-n, name) for name, n in counts.items())[:MAX_FEATURES]]
    shifts = [_shift(name, first, second) for name in names]
    beyond = f" (the {MAX_FEATURES} most frequent of {len(counts):,})" if len(counts) > MAX_FEATURES else ""
    return _context_finding([s for s in shifts if s.p * len(shifts) < ALPHA], len(shifts), beyond)


def _once_each(event_ids: Sequence[str]) -> Ints:
    """The first row of each event: the places of a ranking share their context, which is one draw and no more."""
    _, rows = np.unique([part_of(event_id).event_id for event_id in event_ids], return_index=True)
    return np.sort(rows)


def _context_finding(shifts: list[_Shift], n_features: int, beyond: str) -> Finding:
    shifts = sorted(shifts, key=lambda shift: -shift.distance)
    numbers = {"features": float(n_features), "shifted": float(len(shifts))}
    if not shifts:
        return Finding("context_drift", "ok", f"{n_features} features{beyond}: none moved between the halves of the log.", numbers)
    numbers |= {f"psi {shift.feature}": shift.psi for shift in shifts[:5]}
    told = ", ".join(f"`{s.feature}` (distance {s.distance:.2f}, PSI {s.psi:.2f})" for s in shifts[:5])
    sentence = f"{len(shifts)} of {n_features} features{beyond} moved between the halves of the log: {told}."
    if shifts[0].distance < _NOTABLE:
        return Finding("context_drift", "note", sentence, numbers)
    return Finding(
        "context_drift",
        "warning",
        sentence,
        numbers,
        "An estimate speaks of the contexts in the log; tomorrow's look like the second half, not like the average.",
        "Evaluate on recent events (`gate.max_events`), retrain, and look for a feature whose unit or source changed.",
    )


def reward_drift(usable: Interactions) -> Finding:
    """Each action's mean reward (self-normalised by 1/p, so that a changing policy does not move it) in both halves.

    t test with the smaller half's effective sample size, Bonferroni over actions. Level `ALPHA`.
    """
    if len(usable) < 2 * _FEW:
        return Finding("reward_drift", "note", "Not checked: fewer than 200 usable events whose window has passed.")
    number, names = action_numbers(usable.actions)
    taken = number[usable.chosen]
    early = np.arange(len(usable)) < len(usable) // 2
    offered = [np.bincount(number[np.repeat(half, np.diff(usable.offsets))], minlength=len(names)) for half in (early, ~early)]
    tests = [_change(usable, taken == action, early, [int(n[action]) for n in offered]) for action in np.unique(taken)]
    told = [test for test in tests if test is not None]
    if not told:
        return Finding("reward_drift", "note", "Not checked: no action was taken often enough in both halves of the log.")
    worst = min(told, key=lambda change: change.p)
    numbers = {"p_value": min(1.0, worst.p * len(told)), "actions": float(len(told))}
    if numbers["p_value"] >= ALPHA:
        return Finding("reward_drift", "ok", f"The reward of {len(told)} actions did not move over time.", numbers)
    return Finding(
        "reward_drift",
        "warning",
        f"The reward of `{worst.action}` went from {worst.before:.4g} to {worst.after:.4g} between the halves of the log "
        f"(p = {numbers['p_value']:.1g}).",
        {**numbers, "before": worst.before, "after": worst.after},
        "Old events describe a world that is gone: estimates and models average over both.",
        "Evaluate on recent events (`gate.max_events`), and find out what changed: the action, or how its reward is measured.",
    )


class _Change(NamedTuple):
    action: str
    p: float
    before: float
    after: float


def _change(usable: Interactions, taken: Mask, early: Mask, n_offered: Sequence[int]) -> _Change | None:
    parts = zip((taken & early, taken & ~early), n_offered, strict=True)
    halves = [_mean(usable.reward[rows], 1 / usable.probability[rows], n) for rows, n in parts]
    if any(half is None for half in halves):
        return None
    (before, early_error, early_ess), (after, late_error, late_ess) = [half for half in halves if half is not None]
    error = math.hypot(early_error, late_error)
    first = int(np.argmax(taken))
    name = usable.actions[first].ids[int(usable.action[first])]
    if error == 0.0:
        return _Change(name, float(before == after), before, after)
    return _Change(name, 2 * float(stdtr(min(early_ess, late_ess) - 1, -abs(after - before) / error)), before, after)


def _mean(reward: Floats, weight: Floats, n_offered: int) -> tuple[float, float, float] | None:
    """Self-normalised mean, its standard error and effective sample size; None where events are too few or not of all kinds."""
    ess = effective_sample_size(weight)
    if ess < _MIN_ESS or weight.sum() < _COVERED * n_offered:
        return None
    share = weight / weight.sum()
    mean = float(share @ reward)
    return mean, math.sqrt(float(np.square(share) @ np.square(reward - mean)) * ess / (ess - 1)), ess


def _shift(name: str, first: Sequence[Features], second: Sequence[Features]) -> _Shift:
    a, b = ([context.get(name) for context in half] for half in (first, second))
    if any(isinstance(value, str) for value in (*a, *b)):
        return _of_counts(name, *_word_counts(a, b))
    presence = np.array([[sum(v is not None for v in half), sum(v is None for v in half)] for half in (a, b)])
    there = _of_counts(name, *presence)
    x, y = (np.array([v for v in half if v is not None], np.float64) for half in (a, b))
    if min(len(x), len(y)) < _FEW:
        return there
    from scipy.stats import ks_2samp  # noqa: PLC0415 - half a second, which no command that looks at no log should pay

    test = ks_2samp(x, y, method="asymp")
    numeric = _Shift(name, float(test.pvalue), float(test.statistic), _psi(*_binned(x, y)))
    worst = min(numeric, there, key=lambda shift: shift.p)
    return worst._replace(p=min(1.0, 2 * worst.p)) if there.p < 1 else numeric


def _word_counts(a: Sequence[object], b: Sequence[object]) -> tuple[Floats, Floats]:
    """How often each frequent word occurs in each half; the others last. Ties go by name: the first seen are the first half's."""
    counts = Counter(map(str, (*a, *b)))
    frequent = sorted((-n, word) for word, n in counts.items() if n >= _CELL)
    known = [word for _, word in frequent[:MAX_WORDS]]
    place = {word: i for i, word in enumerate(known)}
    one, other = (np.bincount([place.get(str(v), len(known)) for v in half], minlength=len(known) + 1) for half in (a, b))
    return one.astype(np.float64), other.astype(np.float64)


def _of_counts(name: str, one: Floats, other: Floats) -> _Shift:
    """χ² of homogeneity, small cells pooled; total variation distance."""
    one, other = _pooled(np.asarray(one, np.float64), np.asarray(other, np.float64))
    if len(one) < 2:
        return _Shift(name, 1.0, 0.0, 0.0)
    return _Shift(name, _homogeneity(one, other), float(np.abs(one / one.sum() - other / other.sum()).sum() / 2), _psi(one, other))


def _homogeneity(one: Floats, other: Floats) -> float:
    """p-value of χ² = Σ (O − E)²/E over two rows of counts, K − 1 degrees of freedom."""
    observed = np.stack([one, other])
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    return float(chdtrc(len(one) - 1, (np.square(observed - expected) / expected).sum()))


def _pooled(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    total = one + other
    large = total >= _CELL
    rest = np.array([one[~large].sum(), other[~large].sum()])
    if rest.sum() >= _CELL:
        return np.append(one[large], rest[0]), np.append(other[large], rest[1])
    return one[large], other[large]


def _binned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Counts between the deciles of both together."""
    edges = np.unique(np.quantile(np.concatenate([x, y]), np.linspace(0, 1, 11)[1:-1]))
    size = len(edges) + 1
    one, other = (np.bincount(np.searchsorted(edges, half, "right"), minlength=size) for half in (x, y))
    return one.astype(np.float64), other.astype(np.float64)


def _psi(one: Floats, other: Floats) -> float:
    """Population stability index, Σ (p − q)·ln(p/q), half an event added to each cell."""
    p, q = ((half + 0.5) / (half + 0.5).sum() for half in (one, other))
    return float(((p - q) * np.log(p / q)).sum())
