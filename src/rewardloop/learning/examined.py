"""Which slots of a decision are learned from: what nobody looked at says nothing (`ranking.feedback`).

A click is a reward above the default. cascade: people look from the first position down and stop at the first click (Craswell
et al. 2008), so what stands below it was not looked at. position: a position is looked at with a given chance, whatever stands
there; a click was looked at, and of what was not clicked a share is kept that is P(looked at | not clicked) at the mean
attractiveness.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rewardloop.ids import draws, part_of
from rewardloop.interactions import Floats, Interactions
from rewardloop.settings import ExperimentSettings

Mask = npt.NDArray[np.bool_]


def examined(interactions: Interactions, settings: ExperimentSettings) -> Interactions:
    """The rows to learn from, of whole decisions: all slots of one stand among the rows."""
    feedback = settings.ranking.feedback
    if feedback == "all" or not len(interactions):
        return interactions
    clicked = interactions.reward > settings.reward.default
    if feedback == "cascade":
        return interactions.take(prefix(interactions.event_ids, clicked))
    return interactions.take(looked_at(interactions.event_ids, clicked, settings.ranking.examination))


def examined_stream(batches: Iterable[Interactions], settings: ExperimentSettings) -> Iterator[Interactions]:
    """`examined` of a stream in order of `closed_at`, in which a decision may be cut by the end of a batch."""
    if settings.ranking.feedback == "all":
        yield from batches
        return
    held = Interactions.empty()
    for batch in batches:
        rows = Interactions.concatenated([held, batch])
        settled = rows.closed_at < rows.closed_at[-1]  # The slots of a decision close at the same instant: `checks` sees to it.
        held = rows.take(~settled)
        if settled.any():
            yield examined(rows.take(settled), settings)
    if len(held):
        yield examined(held, settings)


def prefix(event_ids: Sequence[str], clicked: Mask) -> Mask:
    """(n,) False below the first click of a decision.

    >>> from rewardloop.ids import slot_event_id
    >>> ids = [slot_event_id("e", str(i + 1), i) for i in range(3)]
    >>> prefix(ids, np.array([False, True, False])).tolist(), prefix(ids, np.zeros(3, bool)).tolist()
    ([True, True, False], [True, True, True])
    """
    parts = [part_of(event_id) for event_id in event_ids]
    last: dict[str, int] = {}
    for part, click in zip(parts, clicked.tolist(), strict=True):
        if click:
            last[part.event_id] = min(part.position, last.get(part.event_id, part.position))
    return np.array([part.position <= last.get(part.event_id, part.position) for part in parts], bool)


def looked_at(event_ids: Sequence[str], clicked: Mask, examination: Sequence[float] | None) -> Mask:
    """(n,) True for clicks; of the rest, at each position a share θ(1 − a)/(1 − θa), a = Σ clicks / Σ θ, drawn by event id."""
    theta = chances([part_of(event_id).position for event_id in event_ids], examination)
    mean = min(float(clicked.sum() / theta.sum()), 1.0)
    share = theta * (1.0 - mean) / np.maximum(1.0 - theta * mean, 1e-12) if mean < 1.0 else np.zeros(len(theta))
    drawn = np.array([draws("examination", event_id).sample_prob for event_id in event_ids])
    return np.asarray(clicked | (drawn < np.where(theta == 1.0, 1.0, share)))


def chances(positions: Sequence[int], examination: Sequence[float] | None) -> Floats:
    """(n,) P(looked at): as given, the last for what lies beyond; otherwise 1, 1/2, 1/3, …

    >>> chances([0, 1, 2], [1.0, 0.5]).tolist(), chances([0, 1, 3], None).tolist()
    ([1.0, 0.5, 0.5], [1.0, 0.5, 0.25])
    """
    place = np.asarray(positions, np.int64)
    if examination is None:
        return np.asarray(1.0 / (1.0 + place))
    return np.asarray(np.asarray(examination)[np.minimum(place, len(examination) - 1)])
