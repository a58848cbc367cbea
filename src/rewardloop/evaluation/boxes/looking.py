"""What evaluation keeps of a log over a box, seen through the eyes of some policies: the same columns as where actions are arms.

Two passes, as in `seen`: the first draws the events that the reward model learns from, the second scores all and lets them go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from rewardloop.actions import Ranges
from rewardloop.evaluation.boxes.reward_model import BoxRewardModel
from rewardloop.evaluation.boxes.screening import UNREAD, screen_box
from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.evaluation.reward_models.drawing import LEARN_FROM, Drawn, draw
from rewardloop.evaluation.sample import Sample
from rewardloop.evaluation.seen import Log, Seen
from rewardloop.evaluation.support import LARGEST_RATIO, Support
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.spreads import Spreads

BoxPolicy = Callable[[Interactions], Spreads]
"""What a policy would have drawn from at these events, floor included."""


class _Rows(NamedTuple):
    """Of some events, (n,) each."""

    reward: Floats
    fitted: Floats
    weight: dict[str, Floats]
    direct: dict[str, Floats]
    metrics: dict[str, Floats]


def look_at_box(log: Log, policies: Mapping[str, BoxPolicy], ranges: Ranges, seed: int, *, learn_from: int = LEARN_FROM) -> Seen:
    """Read `log` twice: importance weights are the policy's density at the logged values over the logged density.

    Memory: a batch, `learn_from` events, and (2 + 2·policies) numbers an event. Faulty events are left out and counted.
    """
    excluded: Counter[str] = Counter()
    drawn = draw(((kept, np.empty((len(kept), 0))) for kept in _usable(log, ranges, excluded)), seed, learn_from)
    if drawn.n_seen < 2:
        return Seen({}, {}, None, None, np.zeros(drawn.n_seen), 0, dict(excluded), box=True)
    model, at = BoxRewardModel.fit(drawn.events, ranges, seed), 0
    parts: list[_Rows] = []
    for kept in _usable(log, ranges, Counter()):
        rows, n_unread = _scored(kept, policies, model, drawn, at)
        parts.append(rows)
        at += len(kept)
        excluded.update({UNREAD: n_unread} if n_unread else {})
    return _seen(parts, dict(excluded), len(drawn.events))


def _usable(log: Log, ranges: Ranges, excluded: Counter[str]) -> Iterator[Interactions]:
    for batch in log():
        usable, reasons = screen_box(batch, ranges)
        excluded.update(reasons)
        if usable.any():
            yield batch if usable.all() else batch.take(usable)


def _scored(
    log: Interactions, policies: Mapping[str, BoxPolicy], model: BoxRewardModel, drawn: Drawn, at: int
) -> tuple[_Rows, int]:
    """The events that every policy can say something of, and how many those are not."""
    assert log.box is not None
    spreads = {name: policy(log) for name, policy in policies.items()}
    known = np.logical_and.reduce([each.known for each in spreads.values()])
    fold = drawn.folds(model.fold, len(model.baseline), at, len(log))
    weight = {name: each.density(log.box.values) / log.box.density for name, each in spreads.items()}
    direct = {name: model.of(log, each, fold) for name, each in spreads.items()}
    rows = _Rows(log.reward, model.at(log, fold), weight, direct, dict(log.metrics))
    return _taken(rows, known), int((~known).sum())


def _taken(rows: _Rows, known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> _Rows:
    weight, direct, metrics = ({name: column[known] for name, column in part.items()} for part in rows[2:])
    return _Rows(rows.reward[known], rows.fitted[known], weight, direct, metrics)


def _seen(parts: list[_Rows], excluded: dict[str, int], n_learned: int) -> Seen:
    reward, fitted = (np.concatenate([getattr(part, name) for part in parts]) for name in ("reward", "fitted"))
    if len(reward) < 2:
        return Seen({}, {}, None, None, reward, 0, excluded, box=True)
    weight, direct, metrics = (
        {name: np.concatenate([getattr(part, kind)[name] for part in parts]) for name in getattr(parts[0], kind)}
        for kind in ("weight", "direct", "metrics")
    )
    samples = {name: Sample(weight[name], reward, direct[name], fitted) for name in weight}
    first, *others = weight.values()
    return Seen(
        samples=samples,
        robust={},
        support=_support(first),
        # E over the log of |w - w'| / 2 is the total variation of the two policies.
        changed=float(np.abs(first - others[0]).mean()) / 2 if others else None,
        reward=reward,
        n_learned=n_learned,
        excluded=excluded,
        metrics=metrics,
        box=True,
    )


def _support(weight: Floats) -> Support:
    """Nothing in a box has a name, and every value is possible where a floor was logged: what tells is the weights."""
    clipped = np.minimum(weight, LARGEST_RATIO)
    return Support(
        mean_weight=float(weight.mean()),
        clipped_weight=float(clipped.mean()),
        clipped_weight_expected=1.0,
        clipped_weight_error=float(weight.std()) / len(weight) ** 0.5,
        possible_share=1.0,
        largest_weight=float(weight.max()),
        ess=effective_sample_size(weight),
        logged_share=1.0,
        named_share=0.0,
        overlap=float(clipped.mean()),
        n_matched=int((weight >= 1.0).sum()),
    )
