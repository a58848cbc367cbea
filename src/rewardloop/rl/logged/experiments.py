"""Episodes from an experiment's own log: events whose ids are `EPISODE:STEP`, rewarded and joined like any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from rewardloop.actions import Ranges
from rewardloop.errors import InvalidInput
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.rl.logged.episodes import Header, Logged

MARK = ":"
"""Between the episode and the number of the step, from 0, in an event's id."""


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the closed events made whole episodes."""

    n_episodes: int
    n_steps: int
    n_unmarked: int
    """Closed events whose ids name no step."""
    n_broken: int
    """Episodes left out because a step is missing: its decision was not made here, or its reward is not closed yet."""
    first_broken: str = ""


class _Row(NamedTuple):
    step: int
    batch: int
    row: int


def gather(
    batches: Iterable[Interactions], *, ended: bool = True, policy: str = "", ranges: Ranges | None = None
) -> tuple[Logged | None, Gathered]:
    """From closed events to episodes, in the order of their ids. The contexts' numbers are the observations.

    `ended`: episodes came to their end (otherwise they were cut off). `ranges`: the box, where the actions are continuous. None
    where there is not one whole episode. Raises `InvalidInput` for contexts that hold words or differ in their names, for arms
    that differ in number, and for values of which no density was logged.
    """
    kept = list(batches)
    found: dict[str, list[_Row]] = {}
    n_unmarked = 0
    for number, batch in enumerate(kept):
        for row, event_id in enumerate(batch.event_ids):
            episode, mark, step = event_id.rpartition(MARK)
            if not (mark and episode and step.isascii() and step.isdecimal()):
                n_unmarked += 1
                continue
            found.setdefault(episode, []).append(_Row(int(step), number, row))
    whole = {name: sorted(rows) for name, rows in sorted(found.items()) if _whole(rows)}
    broken = sorted(found.keys() - whole.keys())
    counts = Gathered(
        n_episodes=len(whole),
        n_steps=sum(map(len, whole.values())),
        n_unmarked=n_unmarked,
        n_broken=len(broken),
        first_broken=broken[0] if broken else "",
    )
    return (_logged(kept, whole, _Kind(ended, policy, ranges)) if whole else None), counts


def _whole(rows: Sequence[_Row]) -> bool:
    return sorted(row.step for row in rows) == list(range(len(rows)))


class _Kind(NamedTuple):
    """What all episodes have in common."""

    ended: bool
    policy: str
    ranges: Ranges | None


def _logged(batches: Sequence[Interactions], whole: dict[str, list[_Row]], kind: _Kind) -> Logged:
    rows = [row for episode in whole.values() for row in episode]
    sizes = np.array([len(episode) for episode in whole.values()])
    names = _names(batches[rows[0].batch].contexts[rows[0].row])
    header, action, probability, pmf = _arms(batches, rows) if kind.ranges is None else _values(batches, rows, kind.ranges)
    return Logged(
        msgspec.structs.replace(header, policy=kind.policy, inputs=names),
        tuple(whole),
        np.array([_numbers(batches[at.batch], at.row, names) for at in rows]),
        None,
        action,
        _taken(batches, rows, "reward"),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.full(len(whole), kind.ended),
        probability,
        pmf,
    )


def _arms(batches: Sequence[Interactions], rows: Sequence[_Row]) -> tuple[Header, Ints, Floats, Floats | None]:
    pmf = _pmf(batches, rows)
    action = np.array([batches[at.batch].action[at.row] for at in rows], np.int64)
    return Header(n_actions=pmf.shape[1]), action, _taken(batches, rows, "probability"), None if np.isnan(pmf).any() else pmf


def _values(batches: Sequence[Interactions], rows: Sequence[_Row], ranges: Ranges) -> tuple[Header, Floats, Floats, None]:
    """Raises `InvalidInput` for a step without values, or whose values were not drawn."""
    boxes = [batch.box for batch in batches]
    for at in rows:
        box = boxes[at.batch]
        if box is None or not np.isfinite(box.density[at.row]):
            found = "none" if box is None or np.isnan(box.density[at.row]) else "`explore: false`"
            raise InvalidInput(f"Expected a logged density in every step, got {found}", at=batches[at.batch].event_ids[at.row])
    kept = [(box, at.row) for at in rows if (box := boxes[at.batch]) is not None]
    values = np.array([box.values[row] for box, row in kept])
    return Header(low=ranges.low, high=ranges.high), values, np.array([box.density[row] for box, row in kept]), None


def _taken(batches: Sequence[Interactions], rows: Sequence[_Row], column: str) -> Floats:
    columns: list[Floats | Ints] = [getattr(batch, column) for batch in batches]
    return np.array([columns[at.batch][at.row] for at in rows], np.float64)


def _pmf(batches: Sequence[Interactions], rows: Sequence[_Row]) -> Floats:
    """(N, K). Raises `InvalidInput` where events offered different numbers of actions."""
    found = [batches[at.batch].pmf[slice(*batches[at.batch].offsets[at.row : at.row + 2])] for at in rows]
    k = len(found[0])
    other = next((i for i, pmf in enumerate(found) if len(pmf) != k), None)
    if other is not None:
        event_id = batches[rows[other].batch].event_ids[rows[other].row]
        raise InvalidInput(f"Expected {k} actions in every event, got {len(found[other])}", at=event_id)
    return np.array(found)


def _names(context: Features) -> tuple[str, ...]:
    """Of the observation: what stands under `observation` where anything does, else all of the context."""
    under = [name for name in context if name.startswith(("observation[", "observation."))]
    return tuple(under or context)


def _numbers(batch: Interactions, row: int, names: Sequence[str]) -> list[float]:
    context = batch.contexts[row]
    numbers = [context.get(name) for name in names]
    if any(isinstance(number, str) or number is None for number in numbers) or not names:
        bad = next((name for name in names if not isinstance(context.get(name), float | int)), "observation")
        raise InvalidInput(f"Expected a number at `{bad}` of the context in every step of an episode", at=batch.event_ids[row])
    return [float(number) for number in numbers if number is not None]
