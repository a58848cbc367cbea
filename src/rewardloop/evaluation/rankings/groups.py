"""The held-out parts of decisions over several slots, put together again: a matrix of rows, a decision a row. No estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rewardloop.evaluation.screening import screen
from rewardloop.events import Decision
from rewardloop.ids import part_of
from rewardloop.interactions import Floats, Interactions, Ints

Kind = Literal["ranking", "slots", "slate"]
"""Positions without features that share the actions; places with features that share them; places with actions of their own."""


@dataclass(frozen=True, slots=True)
class Rankings:
    """n complete decisions of one kind over up to k slots, in the order they closed."""

    kind: Kind
    event_ids: tuple[str, ...]
    rows: Ints
    """(n, k) each slot's row among the events; −1 where a decision has fewer."""

    def laid_out(self, values: Floats, missing: float) -> Floats:
        """(n, k) of a number an event."""
        return np.where(self.rows >= 0, values[self.rows], missing)


def kind_of(decision: Decision) -> Kind:
    """What a decision with slots fills."""
    if all(choice.actions for choice in decision.slots):
        return "slate"
    return "slots" if any(choice.features for choice in decision.slots) else "ranking"


def group(events: Interactions, wholes: Mapping[str, Decision]) -> tuple[list[Rankings], int]:
    """The decisions of which every slot is among the usable `events`, by kind, and the number of those that lack one.

    A slot lacks where it is still open, was pruned, is older than the newest that are looked at, or has a fault (`screen`).
    """
    parts = _parts(events)
    complete = {
        event_id: [rows[position] for position in range(len(rows))]
        for event_id, rows in parts.items()
        if event_id in wholes and rows.keys() == set(range(len(wholes[event_id].slots)))
    }
    kinds: dict[Kind, list[str]] = {}
    for event_id in sorted(complete, key=lambda each: max(complete[each])):
        kinds.setdefault(kind_of(wholes[event_id]), []).append(event_id)
    found = [Rankings(kind, tuple(ids), _matrix([complete[each] for each in ids])) for kind, ids in sorted(kinds.items())]
    return found, len(parts) - len(complete)


def taken(events: Interactions, flat: Floats, rows: Ints) -> Floats:
    """The numbers of some events in a flat ragged array (Σ K_i,), one event after another."""
    return replace(events, pmf=flat).take(rows).pmf


def stretches(events: Interactions, rows: Ints) -> Iterator[slice]:
    """Where the numbers of each row stand in a flat ragged array."""
    return (slice(int(events.offsets[row]), int(events.offsets[row + 1])) for row in rows.tolist() if row >= 0)


def _parts(events: Interactions) -> dict[str, dict[int, int]]:
    """By event, the usable row of each position; of none, where all have faults."""
    usable, _ = screen(events)
    parts: dict[str, dict[int, int]] = {}
    for row, event_id in enumerate(events.event_ids):
        part = part_of(event_id)
        if part.slot:
            rows = parts.setdefault(part.event_id, {})
            if usable[row]:
                rows[part.position] = row
    return parts


def _matrix(rankings: list[list[int]]) -> Ints:
    rows = np.full((len(rankings), max(map(len, rankings))), -1, np.int64)
    for i, ranking in enumerate(rankings):
        rows[i, : len(ranking)] = ranking
    return rows
