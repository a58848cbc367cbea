"""Were actions taken as often as their logged probabilities say?

With whole distributions the counts of actions, and of probabilities of a size, are compared with their expectation: χ² with
the exact covariance of multinomial draws. With nothing but the chosen action's probability only one direction can be told:
if probabilities are logged too small, the weights 1/p of what was taken are too many.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtr

from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.diagnostics.finding import ALPHA, Finding
from rewardloop.interactions import Floats, Interactions, Ints

_EXPECTED = 10.0
"""Groups expected less often than this are pooled: χ² is an approximation."""
_GROUPS = 40
_EDGES = np.array([0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995])
_BLOCK = 20_000
"""Events whose group masses are held at once."""


class _Counts(NamedTuple):
    """Of G groups of (event, action) pairs."""

    observed: Floats
    expected: Floats
    covariance: Floats


def calibration(usable: Interactions) -> Finding:
    """The smaller of two p-values (by action, by size of the probability), doubled. Level `ALPHA`."""
    usable = _uniform_told(usable)
    told = ~np.isnan(np.add.reduceat(usable.pmf, usable.offsets[:-1])) if len(usable) else np.zeros(0, bool)
    if not told.any():
        return _weights(usable)
    events = usable.take(told)
    number, _ = action_numbers(events.actions)
    by_action, by_size = _test(events, number), _test(events, np.digitize(events.pmf, _EDGES).astype(np.int64))
    p = min(1.0, 2 * min(by_action[0], by_size[0]))
    numbers = {"p_value": p, "events": float(len(events)), "chi2_actions": by_action[1], "chi2_sizes": by_size[1]}
    if p >= ALPHA:
        return Finding("calibration", "ok", f"Actions were taken as often as their probabilities say (p = {p:.2g}).", numbers)
    worst = _worst_action(events) if by_action[0] < by_size[0] else _worst_size(events)
    return _wrong(f"Actions were not taken as often as their logged probabilities say (p = {p:.1g}): {worst}.", numbers)


def _uniform_told(usable: Interactions) -> Interactions:
    """With the distributions filled in where a log without any says 1/K throughout: it was drawn uniformly."""
    sizes = np.diff(usable.offsets)
    if np.isnan(usable.pmf).all() and np.allclose(usable.probability * sizes, 1.0, rtol=0, atol=1e-3):
        return replace(usable, pmf=np.repeat(1 / sizes, sizes))
    return usable


def _test(events: Interactions, group: Ints) -> tuple[float, float]:
    """p-value and statistic of (O − E)ᵀ V⁺ (O − E)."""
    counts = _counts(events, _pooled(events.pmf, group))
    gap = counts.observed - counts.expected
    values, vectors = np.linalg.eigh(counts.covariance)
    kept = values > 1e-9 * max(1.0, float(values.max(initial=0.0)))
    if not kept.any():
        return 1.0, 0.0
    statistic = float((np.square(vectors.T @ gap)[kept] / values[kept]).sum())
    return float(chdtrc(int(kept.sum()), statistic)), statistic


def _pooled(pmf: Floats, group: Ints) -> Ints:
    """(Σ K_i,) groups from 0: the largest keep theirs, the others share the last."""
    mass = np.bincount(group, pmf)
    large = [g for g in np.argsort(-mass, kind="stable")[:_GROUPS] if mass[g] >= _EXPECTED]
    renamed = np.full(len(mass), len(large), np.int64)
    renamed[large] = np.arange(len(large))
    return np.asarray(renamed[group])


def _counts(events: Interactions, group: Ints) -> _Counts:
    """Sums over events; V = Σ_i diag(s_i) − s_i s_iᵀ, where s_ig is the probability that event i has in group g."""
    size = int(group.max()) + 1
    observed = np.bincount(group[events.chosen], minlength=size).astype(np.float64)
    expected = np.asarray(np.bincount(group, events.pmf, size), np.float64)
    covariance: Floats = np.diag(expected).astype(np.float64)
    for start in range(0, len(events), _BLOCK):
        edges = events.offsets[start : start + _BLOCK + 1]
        row = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        inside = slice(edges[0], edges[-1])
        cells = row * size + group[inside]
        share = np.bincount(cells, events.pmf[inside], (len(edges) - 1) * size).reshape(-1, size)
        covariance = covariance - share.T @ share
    return _Counts(observed, expected, covariance)


def _worst_action(events: Interactions) -> str:
    number, numbers = action_numbers(events.actions)
    n_actions = len(numbers)
    names = list(numbers)
    observed, expected = np.bincount(number[events.chosen], minlength=n_actions), np.bincount(number, events.pmf, n_actions)
    worst = int(np.argmax(np.abs(observed - expected) / np.sqrt(expected + 1.0)))
    return f"`{names[worst]}` was taken {observed[worst]:,} times and expected {expected[worst]:,.0f} times"


def _worst_size(events: Interactions) -> str:
    group = np.digitize(events.pmf, _EDGES)
    observed, expected = (
        np.bincount(group[events.chosen], minlength=len(_EDGES) + 1),
        np.bincount(group, events.pmf, len(_EDGES) + 1),
    )
    worst = int(np.argmax(np.abs(observed - expected) / np.sqrt(expected + 1.0)))
    low, high = np.concatenate([[0.0], _EDGES, [1.0]])[worst : worst + 2]
    return f"with a probability of {low:g} to {high:g}, {observed[worst]:,} were taken and {expected[worst]:,.0f} expected"


def _weights(usable: Interactions) -> Finding:
    """Mean of 1/(K·p), 1 in expectation or less; too large means probabilities too small."""
    if len(usable) < 2:
        return Finding("calibration", "note", "Too few usable events to compare probabilities with frequencies.")
    weight = 1 / (np.diff(usable.offsets) * usable.probability)
    mean, error = float(weight.mean()), float(weight.std(ddof=1)) / len(weight) ** 0.5
    p = float(ndtr((1 - mean) / error)) if error > 0 else float(mean <= 1 + 1e-9)
    numbers = {"p_value": p, "mean_weight": mean, "events": float(len(usable))}
    if p < ALPHA:
        return _wrong(f"The probabilities logged are too small: weights under a uniform policy average {mean:.3g}, not 1.", numbers)
    return Finding(
        "calibration",
        "note",
        "Only the chosen action's probability is logged: nothing speaks against it, but it can be checked in one direction only "
        f"(mean weight {mean:.3g}; log the whole distribution to check both).",
        numbers,
    )


def _wrong(sentence: str, numbers: dict[str, float]) -> Finding:
    return Finding(
        "calibration",
        "error",
        sentence,
        numbers,
        "Importance weights are wrong, and with them every estimate of another policy, by an unknown amount and in any direction.",
        "Log the probability in the code that samples the action, after every filter and override; `rewardloop audit` replays one.",
    )
