"""Events with several rewards: which of them count, when the event closes, and what it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rewardloop.interactions import Floats, Ints
from rewardloop.lake.manifest import Labelling
from rewardloop.settings.schema import Aggregation

Mask = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Stories:
    """m events in n ≥ m rows, one a reward (an event without any has one row), in order of (event, time, reward)."""

    start: npt.NDArray[np.intp]
    """(m,) position of each event's first row."""
    closed_at: Ints
    """(m,)"""
    inactive: Mask
    """(m,) deferred and never activated."""
    n_rewards: Ints
    """(m,) rewards that count."""
    value: Floats
    """(m,) their aggregate; NaN where none counts."""
    settled_at: Ints
    """(n,) the watermark at which the reward's fate is known; never for one that does not fit the event's window."""
    counted: Mask
    duplicate: Mask
    late: Mask
    """(n,) each; at most one is true, none where the event is inactive."""


def tell(rows: pa.Table, labelling: Labelling) -> Stories:
    """The rows of `STORIES` that have a decision, resolved."""
    seq, opened, told = (rows[name].fill_null(-1).to_numpy() for name in ("seq", "opened_at", "told_at"))
    fits, final = rows["fits"].to_numpy() == 1, rows["final"].to_numpy() == 1
    start = np.flatnonzero(np.diff(seq, prepend=-1))
    event = np.repeat(np.arange(len(start)), np.diff(start, append=len(seq)))
    expires = opened + labelling.window
    time = np.maximum(told, opened)
    shuts = fits & (final | (labelling.aggregation == "earliest"))
    shut = np.minimum.reduceat(np.where(shuts, time, expires), start)
    deferred = rows["deferred"].to_numpy()[start] == 1
    activated = rows["activated_at"].fill_null(-1).to_numpy()[start]
    inactive = deferred & (activated < 0)
    closed = np.where(inactive, expires[start], np.where(deferred, np.maximum(shut, activated), shut))
    closed = expires[start] if labelling.waits else closed

    in_time = fits & (time <= shut[event])
    nth = rows["nth"].to_numpy()
    counted = in_time & (nth == 1)
    if labelling.aggregation == "earliest":
        counted &= _first(in_time, start)[event] == np.arange(len(seq))
    duplicate = in_time & (nth > 1)
    return Stories(
        start=start,
        closed_at=closed,
        inactive=inactive,
        n_rewards=np.add.reduceat(counted, start, dtype=np.int64),
        value=_aggregate(rows["reward"].fill_null(0.0).to_numpy(), counted, start, labelling.aggregation),
        settled_at=np.where(fits, np.maximum(told, closed[event]), _NEVER),
        counted=counted,
        duplicate=duplicate,
        late=fits & ~counted & ~duplicate,
    )


def _first(mask: Mask, start: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """(m,) position of each event's first true row."""
    return np.minimum.reduceat(np.where(mask, np.arange(len(mask)), len(mask)), start)


def _last(mask: Mask, start: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    return np.maximum.reduceat(np.where(mask, np.arange(len(mask)), -1), start)


def _aggregate(reward: Floats, counted: Mask, start: npt.NDArray[np.intp], aggregation: Aggregation) -> Floats:
    """(m,) NaN for an event without a counted reward."""
    n = np.add.reduceat(counted, start, dtype=np.int64)
    if aggregation == "min":
        value = np.minimum.reduceat(np.where(counted, reward, np.inf), start)
    elif aggregation == "max":
        value = np.maximum.reduceat(np.where(counted, reward, -np.inf), start)
    elif aggregation == "latest":
        value = reward[_last(counted, start)]
    elif aggregation == "earliest":
        value = reward[np.minimum(_first(counted, start), len(reward) - 1)]
    else:
        value = _sums(np.where(counted, reward, 0.0), start) / (np.maximum(n, 1) if aggregation == "mean" else 1)
    return np.where(n > 0, value, np.nan)


def _sums(terms: Floats, start: npt.NDArray[np.intp]) -> Floats:
    """(m,) sums rounded once, so that no order of the terms changes a bit."""
    end = np.append(start[1:], len(terms))
    sums = np.array(terms[start])
    pairs = end - start == 2
    with np.errstate(over="ignore"):
        sums[pairs] += terms[start[pairs] + 1]
    for i in np.flatnonzero(end - start > 2):
        sums[i] = _sum(terms[start[i] : end[i]].tolist())
    return np.clip(sums, -np.finfo(np.float64).max, np.finfo(np.float64).max)


def _sum(terms: list[float]) -> float:
    try:
        return math.fsum(terms)
    except OverflowError:
        return math.copysign(math.inf, math.fsum(term / len(terms) for term in terms))
