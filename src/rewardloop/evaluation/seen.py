"""What evaluation keeps of a log: a few columns of numbers an event, however large contexts and actions were. Read batch by batch.

Two passes. The first draws the events that the reward model learns from, the second scores every event under it and lets it go.
What remains, at 8 bytes a number, is what every estimator, interval and rule reads: a log that is streamed and one that is held in
memory give the same estimates (to rounding; the same bits where they come in one batch).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from rewardloop.evaluation.estimators.estimators import dr
from rewardloop.evaluation.reward_models.drawing import LEARN_FROM, Drawn, draw
from rewardloop.evaluation.reward_models.reward_model import RewardModel, robust_weight
from rewardloop.evaluation.sample import Sample, sample, sum_by_event
from rewardloop.evaluation.screening import check_policy, screen
from rewardloop.evaluation.support import Support, SupportTally
from rewardloop.evaluation.units import Units, UnitTally
from rewardloop.interactions import Floats, Interactions

Log = Callable[[], Iterator[Interactions]]
"""Reads the events from the beginning, the same ones in the same order each time, in batches that memory can hold."""

Serve = Callable[[Interactions], Floats]
"""(Σ K_i,) the distributions that a policy would have served to these events, floor included. Raises nothing, keeps nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """n usable events as `policies` see them, in the order of the log."""

    samples: Mapping[str, Sample]
    """By policy."""
    robust: Mapping[str, Floats]
    """(n,) scores of MRDR by policy, where they were asked for: DR under a model that counts an event by what its residual
    would add to the variance of DR (Farajtabar, Chow & Ghavamzadeh 2018), cross-fitted as for `dr`."""
    support: Support | None
    """Of the first policy; None with fewer than two events, as are no samples."""
    changed: float | None
    """Share of decisions on which the first two policies differ (total variation); None where there is one."""
    reward: Floats
    n_learned: int
    """Events that the reward model learned from."""
    excluded: dict[str, int]
    """Events left out, by reason."""
    metrics: Mapping[str, Floats] = field(default_factory=dict)
    """(n,) what else was measured, by name; NaN where it was not."""
    box: bool = False
    """Whether the actions are points of a box: weights are then ratios of densities."""
    slots: Units | None = None
    """Where decisions fill several slots, each an event here: which belong together."""

    @property
    def units(self) -> Units:
        """What is independent of what: each interval is made of these."""
        return self.slots or Units(len(self))

    def __len__(self) -> int:
        return len(self.reward)


def look(log: Log, policies: Mapping[str, Serve], seed: int, *, robust: bool = False, learn_from: int = LEARN_FROM) -> Seen:
    """Read `log` twice. `learn_from` bounds the events whose contexts are held at once, for the reward model to learn from.

    Memory: a batch, those events, and (2 + 3·policies, + 1 each if `robust`) numbers an event. `robust` asks for MRDR too. Raises
    `InvalidInput` where a policy's numbers are no distribution; faulty events are left out and counted.
    """
    drawn = draw(_chosen(log, policies if robust else {}), seed, learn_from)
    excluded: Counter[str] = Counter()
    if drawn.n_seen < 2:
        for batch in log():
            excluded.update(_checked(batch, policies)[2])
        return Seen({}, {}, None, None, np.zeros(drawn.n_seen), 0, dict(excluded))
    reader = _Reader(drawn, policies, seed, robust)
    for batch in log():
        kept, pmfs, reasons = _checked(batch, policies)
        excluded.update(reasons)
        if len(kept):
            reader.read(kept, pmfs)
    return reader.seen(dict(excluded))


def _chosen(log: Log, policies: Mapping[str, Serve]) -> Iterator[tuple[Interactions, Floats]]:
    """The usable events, and how probable each policy (n, policies) thought what was taken."""
    for batch in log():
        kept, pmfs, _ = _checked(batch, policies)
        yield kept, np.array([pmf[kept.chosen] for pmf in pmfs.values()]).T.reshape(len(kept), len(pmfs))


def _checked(batch: Interactions, policies: Mapping[str, Serve]) -> tuple[Interactions, dict[str, Floats], dict[str, int]]:
    """The usable events of a batch, each policy's distributions on them, and how many were left out by reason."""
    pmfs = {name: serve(batch) for name, serve in policies.items()}
    for name, pmf in pmfs.items():
        check_policy(name, pmf, batch)
    usable, excluded = screen(batch)
    if usable.all():
        return batch, pmfs, excluded
    flat = np.repeat(usable, np.diff(batch.offsets))
    return batch.take(usable), {name: pmf[flat] for name, pmf in pmfs.items()}, excluded


class _Reader:
    """The second pass."""

    def __init__(self, drawn: Drawn, policies: Mapping[str, Serve], seed: int, robust: bool) -> None:
        events = drawn.events
        self._drawn = drawn
        self._model = RewardModel.fit(events, seed)
        self._robust = {
            name: RewardModel.fit(events, seed, weight=robust_weight(events, chosen))
            for name, chosen in zip(policies if robust else (), drawn.beside.T, strict=True)
        }
        self._first, *self._others = policies
        self._columns: dict[str, Floats] = {}
        self._at = 0
        self._tally, self._changed, self._units = SupportTally(), 0.0, UnitTally()

    def read(self, batch: Interactions, pmfs: Mapping[str, Floats]) -> None:
        fold = self._drawn.folds(self._model.fold, len(self._model.baseline), self._at, len(batch))
        q = self._model.predict(batch, fold)
        self._keep("reward", batch.reward)
        self._keep("fitted", q[batch.chosen])
        for name, column in batch.metrics.items():
            self._keep(f"{name} metric", column)
        for name, pmf in pmfs.items():
            self._keep(f"{name} weight", pmf[batch.chosen] / batch.probability)
            self._keep(f"{name} direct", sum_by_event(pmf * q, batch.offsets))
        for name, model in self._robust.items():
            self._keep(f"{name} robust", dr(sample(batch, pmfs[name], model.predict(batch, fold))))
        self._tally.add(batch, pmfs[self._first])
        self._units.add(batch.event_ids)
        if self._others:
            self._changed += float(np.abs(pmfs[self._first] - pmfs[self._others[0]]).sum()) / 2
        self._at += len(batch)

    def _keep(self, column: str, values: Floats) -> None:
        if column not in self._columns:
            self._columns[column] = np.empty(self._drawn.n_seen)
        self._columns[column][self._at : self._at + len(values)] = values

    def seen(self, excluded: dict[str, int]) -> Seen:
        columns, names, units = self._columns, (self._first, *self._others), self._units.result()
        samples = {
            name: Sample(columns[f"{name} weight"], columns["reward"], columns[f"{name} direct"], columns["fitted"])
            for name in names
        }
        return Seen(
            samples=samples,
            robust={name: columns[f"{name} robust"] for name in self._robust},
            support=self._tally.result(samples[self._first].weight, units),
            changed=self._changed / self._at if self._others else None,
            reward=columns["reward"],
            n_learned=len(self._drawn.events),
            excluded=excluded,
            metrics={name.removesuffix(" metric"): column for name, column in columns.items() if name.endswith(" metric")},
            slots=units if len(units) < units.n else None,
        )
