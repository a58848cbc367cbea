"""From a policy's distribution to the one that is served, and from that to an action. The only place that does either.

Here live the platform's floor, exclusions, limits of exposure and sampling, for one decision (lists: for a few actions faster
than arrays) and, as `serve_pmf_many`, for the columns that evaluation works on. No policy, no log, no random numbers: `u` is
passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt

from rewardloop.errors import CorruptModel, InvalidInput
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.exposure import Limits


def ordered_sum(weights: Iterable[float]) -> float:
    """From left to right, as `cumsum` does; `sum` adds differently from one version of Python to another."""
    total = 0.0
    for weight in weights:
        total += weight
    return total


def serve_pmf(
    pmf: Sequence[float],
    *,
    floor: float,
    excluded: Sequence[int] = (),
    explore: bool = True,
    limits: Limits | None = None,
) -> list[float]:
    """p' = (1 − f)·p + f/K over the K allowed actions, after negative numbers became 0 and the rest was renormalised.

    Excluded actions have probability 0; where the policy gives the allowed ones nothing, they share alike. With
    `explore=False` everything is on the likeliest action (the first of equals): its logged probability is 1, so such events
    show how that action does but carry no support for any other, and no estimator can tell another policy's value from them.
    With `limits` the result is then brought between them, see `limited`, unless nothing is explored.
    The sum is 1 ± 1e-12. Raises `InvalidInput` where every action is excluded or an exclusion is not among the offered,
    `CorruptModel` where the policy's numbers are not a distribution.

    >>> serve_pmf([0.75, 0.25], floor=0.5)
    [0.625, 0.375]
    >>> serve_pmf([0.75, 0.25, 0.0], floor=0.5, excluded=[0])
    [0.0, 0.75, 0.25]
    >>> serve_pmf([-5, 1, 1], floor=0.0), serve_pmf([0.5, 0.5], floor=0.5, explore=False)
    ([0.0, 0.5, 0.5], [1.0, 0.0])
    """
    weights = pmf if min(pmf) >= 0.0 else _clipped(pmf)
    total = 0.0
    for weight in weights:  # `ordered_sum` without its call: every decision passes here
        total += weight
    if not 0.0 < total < _LARGEST:  # nor is a NaN
        raise _not_a_distribution(pmf)
    if excluded:
        served = _serve_allowed(weights, floor, excluded, explore)
    elif not explore:
        return _argmax(weights)
    else:
        keep, share = 1.0 - floor, floor / len(weights)
        served = [keep * (p / total) + share for p in weights]
    return served if limits is None or not explore else limited(served, limits, floor, excluded)


def limited(pmf: Sequence[float], limits: Limits, floor: float, excluded: Sequence[int] = ()) -> list[float]:
    """The distribution between the limits that is proportional to `pmf` where it touches none: Σ clip(τ p, low, high) = 1.

    The floor holds, unless an action's maximum is below it. Where the minima of what is on offer leave no room, or the maxima do
    not suffice, they are scaled to 1.

    >>> from rewardloop.policies.exposure import Limits
    >>> limited([0.75, 0.125, 0.125], Limits((0.0, 0.25, 0.0), (0.5, 1.0, 1.0)), floor=0.0)
    [0.5, 0.25, 0.25]
    """
    gone = set(excluded)
    share = floor / (len(pmf) - len(gone))
    high = [0.0 if i in gone else most for i, most in enumerate(limits.high)]
    low = [0.0 if i in gone else min(max(least, share), most) for i, (least, most) in enumerate(zip(limits.low, high, strict=True))]
    if all(least <= p <= most for p, least, most in zip(pmf, low, high, strict=True)):
        return list(pmf)
    for ends in (low, high):
        total = ordered_sum(ends)
        if (ends is low and total >= 1.0) or (ends is high and total <= 1.0):
            return [end / total for end in ends] if total > 0.0 else list(pmf)
    return _between(pmf, low, high)


def sample(pmf: Sequence[float], u: float) -> int:
    """The action whose stretch of [0, 1) holds u: P(i) = pmf[i] for u ~ U[0, 1). Never one with probability 0.

    >>> [sample([0.25, 0.0, 0.75], u) for u in (0.0, 0.24, 0.25, 0.999)]
    [0, 0, 2, 2]
    """
    for action, p in enumerate(pmf):
        u -= p
        if u < 0.0:
            return action
    return max(action for action, p in enumerate(pmf) if p > 0.0)


def sample_rows(pmf: Floats, u: Floats) -> Ints:
    """`sample` of each row of (n, K), to the bit, with u (n,).

    >>> sample_rows(np.array([[0.25, 0.0, 0.75]] * 4), np.array([0.0, 0.24, 0.25, 0.999])).tolist()
    [0, 0, 2, 2]
    """
    left = np.empty((len(pmf), pmf.shape[1] + 1))
    left[:, 0], left[:, 1:] = u, pmf
    left = np.subtract.accumulate(left, axis=1)[:, 1:]
    actions: Ints = (left < 0.0).argmax(axis=1)
    for row in np.flatnonzero(left[:, -1] >= 0.0).tolist():  # rounding left the sum below u
        actions[row] = sample(pmf[row].tolist(), float(u[row]))
    return actions


def serve_rows(pmf: Floats, *, floor: float, limits: Limits | None = None) -> Floats:
    """`serve_pmf` of each row of (n, K), to the bit: what was decided in a batch replays one by one.

    >>> serve_rows(np.array([[1.0, 0.0], [0.75, 0.25]]), floor=0.5).tolist()
    [[0.75, 0.25], [0.625, 0.375]]
    """
    weights, totals = _weights(pmf)
    served: Floats = (1.0 - floor) * (weights / totals) + floor / pmf.shape[1]
    return served if limits is None else np.array([limited(row, limits, floor) for row in served.tolist()])


def _weights(pmf: Floats) -> tuple[Floats, Floats]:
    """(n, K) without negative numbers, and the sums (n, 1). Raises `CorruptModel`."""
    # Most often it is a distribution already, which two looks tell (a NaN is the least of all).
    if pmf.min(initial=0.0) >= 0.0 and pmf.max(initial=0.0) <= _PLAIN:
        weights, totals = pmf, pmf.cumsum(axis=1)[:, -1:]
        good = totals[:, 0] > 0.0
    else:
        weights = np.where(pmf > 0.0, pmf, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            totals = weights.cumsum(axis=1)[:, -1:]
            good = np.isfinite(pmf.sum(axis=1)) & (totals[:, 0] > 0.0) & (totals[:, 0] < _LARGEST)
    if not good.all():
        raise _not_a_distribution(pmf[int(good.argmin())].tolist())
    return weights, totals


def serve_pmf_many(
    flat: Floats,
    offsets: Ints,
    floor: float,
    allowed: npt.NDArray[np.bool_] | None = None,
    limits: Sequence[Limits | None] | None = None,
) -> Floats:
    """`serve_pmf` for n events at once: flat (Σ K_i,), the numbers of event i at `offsets[i]:offsets[i + 1]`.

    `allowed` (Σ K_i,) is False where an action was excluded; `limits` (n,) are those of each event.

    >>> serve_pmf_many(np.array([1.0, 0.0, 0.75, 0.25, 0.0]), np.array([0, 2, 5]), 0.25).round(3)
    array([0.875, 0.125, 0.646, 0.271, 0.083])
    """
    if len(offsets) < 2:
        return np.empty(0)
    starts, sizes = offsets[:-1], np.diff(offsets)
    weights = np.maximum(flat, 0.0)
    with np.errstate(over="ignore"):
        totals = np.add.reduceat(weights, starts)
    if not (np.isfinite(flat).all() and (totals > 0.0).all() and (totals < _LARGEST).all()):
        raise _first_bad(flat, offsets)
    if allowed is not None:
        weights, totals, sizes = _allow(weights, allowed, offsets)
    served: Floats = (1.0 - floor) * (weights / np.repeat(totals, np.diff(offsets)))
    share = np.repeat(floor / sizes, np.diff(offsets))
    served += share if allowed is None else np.where(allowed, share, 0.0)
    for row, bounds in enumerate(limits or ()):
        if bounds is not None:
            part = slice(int(offsets[row]), int(offsets[row + 1]))
            gone = () if allowed is None else np.flatnonzero(~allowed[part]).tolist()
            served[part] = limited(served[part].tolist(), bounds, floor, gone)
    return served


def _between(pmf: Sequence[float], low: Sequence[float], high: Sequence[float]) -> list[float]:
    """Σ low < 1 < Σ high. Round by round, those that break the worse-broken side of the limits are set to them."""
    weights = list(pmf)
    room = ordered_sum(most if p > 0.0 else least for p, least, most in zip(pmf, low, high, strict=True))
    if room < 1.0:  # what the policy never takes has to take some
        low = [most if p > 0.0 else least for p, least, most in zip(pmf, low, high, strict=True)]
        weights = [most - least for least, most in zip(low, high, strict=True)]
        spare, left = ordered_sum(weights), 1.0 - ordered_sum(low)
        return [least + left * (weight / spare) for least, weight in zip(low, weights, strict=True)]
    served, free = [0.0] * len(weights), list(range(len(weights)))
    while free:
        left = 1.0 - ordered_sum(served)
        total = ordered_sum(weights[i] for i in free)
        wanted = {i: left * (weights[i] / total) if total > 0.0 else 0.0 for i in free}
        below = {i: low[i] - wanted[i] for i in free if wanted[i] < low[i]}
        above = {i: wanted[i] - high[i] for i in free if wanted[i] > high[i]}
        worse = below if ordered_sum(below.values()) >= ordered_sum(above.values()) else above
        for i in worse or free:
            served[i] = low[i] if i in below else high[i] if i in above else wanted[i]
        free = [i for i in free if i not in worse] if worse else []
    return served


_LARGEST = 1e300
"""A total beyond this overflows; no policy means it."""
_PLAIN = 2.0
"""No probability is larger, however it was rounded, and no sum of such numbers overflows."""


def _clipped(pmf: Sequence[float]) -> Sequence[float]:
    """Without negative numbers. Raises `CorruptModel` where one is not finite."""
    if not isfinite(sum(pmf)):
        raise _not_a_distribution(pmf)
    return [p if p > 0.0 else 0.0 for p in pmf]


def _serve_allowed(weights: Sequence[float], floor: float, excluded: Sequence[int], explore: bool) -> list[float]:
    if not all(0 <= action < len(weights) for action in excluded):
        raise InvalidInput(f"Expected exclusions between 0 and {len(weights) - 1}, got {list(excluded)[:10]}", at="$.exclude")
    n_allowed = len(weights) - len(set(excluded))
    if n_allowed == 0:
        raise InvalidInput("Expected at least one action that is not excluded, got none", at="$.exclude")
    allowed = [1.0] * len(weights)
    for action in excluded:
        allowed[action] = 0.0
    kept = [p * a for p, a in zip(weights, allowed, strict=True)]
    total = ordered_sum(kept)
    if total == 0.0:
        kept, total = allowed, float(n_allowed)
    if not explore:
        return _argmax(kept)
    keep, share = 1.0 - floor, floor / n_allowed
    return [keep * (p / total) + share * a for p, a in zip(kept, allowed, strict=True)]


def _argmax(weights: Sequence[float]) -> list[float]:
    served = [0.0] * len(weights)
    served[weights.index(max(weights))] = 1.0
    return served


def _allow(weights: Floats, allowed: npt.NDArray[np.bool_], offsets: Ints) -> tuple[Floats, Floats, Ints]:
    """Weights without the excluded actions, their sums, and how many actions each event allows."""
    starts = offsets[:-1]
    sizes = np.add.reduceat(allowed.astype(np.int64), starts)
    if not sizes.all():
        raise InvalidInput(f"Expected at least one allowed action in every event, got none in row {int(sizes.argmin())}")
    weights = np.where(allowed, weights, 0.0)
    lost = np.repeat(np.add.reduceat(weights, starts) == 0.0, np.diff(offsets))
    weights = np.where(lost, allowed, weights)
    return weights, np.add.reduceat(weights, starts), sizes


def _first_bad(flat: Floats, offsets: Ints) -> CorruptModel:
    with np.errstate(over="ignore", invalid="ignore"):
        totals = np.add.reduceat(np.where(np.isfinite(flat), np.maximum(flat, 0.0), np.inf), offsets[:-1])
    row = int(np.flatnonzero((totals <= 0.0) | (totals >= _LARGEST))[0])
    return _not_a_distribution(flat[offsets[row] : offsets[row + 1]].tolist(), f" in row {row}")


def _not_a_distribution(pmf: Sequence[float], where: str = "") -> CorruptModel:
    shown = ", ".join(f"{p:.4g}" for p in pmf[:5]) + (", …" if len(pmf) > 5 else "")
    return CorruptModel(f"Expected a distribution over {len(pmf)} actions from the policy, got [{shown}]{where}; roll back")
