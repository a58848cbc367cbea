"""Logged interactions as columns: what learning learns from and evaluation evaluates on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from rewardloop.actions import ActionSet
from rewardloop.features import Features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NO_METRICS: Mapping[str, Floats] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Box:
    """The continuous part of n logged decisions."""

    values: Floats
    """(n, d), NaN where a row has none."""
    density: Floats
    """(n,) what the values were drawn with; infinite where they were not drawn, NaN where a row has none."""

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Box:
        return Box(self.values[rows], self.density[rows])

    @classmethod
    def concatenated(cls, parts: Sequence[Interactions]) -> Box | None:
        """Of the rows of several; None where all of them are about arms."""
        width = max((part.box.values.shape[1] for part in parts if part.box is not None), default=0)
        if not width:
            return None
        each = [part.box or cls(np.full((len(part), width), np.nan), np.full(len(part), np.nan)) for part in parts]
        return cls(np.concatenate([box.values for box in each]), np.concatenate([box.density for box in each]))


@dataclass(frozen=True, slots=True)
class Interactions:
    """n logged decisions with their rewards, in the order they closed.

    Ragged arrays over actions are flat: the K_i numbers of event i stand at `offsets[i]:offsets[i + 1]`.
    """

    event_ids: Sequence[str]
    contexts: Sequence[Features]
    actions: Sequence[ActionSet]
    """Events that offered the same JSON share one object."""
    action: Ints
    """(n,) index of the chosen action within its event."""
    probability: Floats
    """(n,) the logged P(chosen)."""
    reward: Floats
    """(n,)"""
    pmf: Floats
    """(Σ K_i,) the logged distribution; NaN where the log holds none (a warm start may not)."""
    offsets: Ints
    """(n + 1,)"""
    sample_prob: Floats
    """(n,)"""
    closed_at: Ints
    """(n,) microseconds UTC."""
    variant: Sequence[str] = ()
    """(n,) who decided, see `events.Decision`; empty: models, every time."""
    metrics: Mapping[str, Floats] = field(default_factory=lambda: NO_METRICS)
    """Name → (n,) what else was measured, NaN where nothing was; those only that were asked for."""
    box: Box | None = None
    """Where the actions are continuous: what was chosen. None: they are arms."""

    @classmethod
    def empty(cls) -> Interactions:
        """No events at all."""
        nothing, none = np.empty(0), np.empty(0, np.int64)
        return cls([], [], [], none, nothing, nothing, nothing, np.zeros(1, np.int64), nothing, none)

    @classmethod
    def concatenated(cls, parts: Sequence[Interactions]) -> Interactions:
        """The rows of several, one after another."""
        filled = [part for part in parts if len(part)]
        if len(filled) < 2:
            return filled[0] if filled else cls.empty()
        sizes = [np.diff(part.offsets) for part in filled]
        return cls(
            [event_id for part in filled for event_id in part.event_ids],
            [context for part in filled for context in part.contexts],
            [actions for part in filled for actions in part.actions],
            np.concatenate([part.action for part in filled]),
            np.concatenate([part.probability for part in filled]),
            np.concatenate([part.reward for part in filled]),
            np.concatenate([part.pmf for part in filled]),
            np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64),
            np.concatenate([part.sample_prob for part in filled]),
            np.concatenate([part.closed_at for part in filled]),
            [name for part in filled for name in part.variant or [""] * len(part)] if any(part.variant for part in filled) else (),
            {name: np.concatenate([part.metrics[name] for part in filled]) for name in _shared(filled)},
            Box.concatenated(filled),
        )

    def __len__(self) -> int:
        return len(self.action)

    @property
    def chosen(self) -> Ints:
        """(n,) position of the chosen action in a flat ragged array."""
        return self.offsets[:-1] + self.action

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Interactions:
        """The given rows, as a mask or as positions (which may repeat and reorder)."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        sizes = np.diff(self.offsets)[index]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        flat = np.repeat(self.offsets[:-1][index] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Interactions(
            [self.event_ids[i] for i in index],
            [self.contexts[i] for i in index],
            [self.actions[i] for i in index],
            self.action[index],
            self.probability[index],
            self.reward[index],
            self.pmf[flat],
            offsets,
            self.sample_prob[index],
            self.closed_at[index],
            [self.variant[i] for i in index] if len(self.variant) else (),
            {name: column[index] for name, column in self.metrics.items()},
            self.box and self.box.take(index),
        )


def _shared(parts: Sequence[Interactions]) -> list[str]:
    """Metrics that all of them have."""
    return [name for name in parts[0].metrics if all(name in part.metrics for part in parts)]
