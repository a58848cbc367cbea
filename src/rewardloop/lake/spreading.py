"""Decisions over several slots, on their way into the lake: taken apart, and what is told of the whole event told to each slot.

Of such an event the lake keeps the decision as it was logged (a row of `wholes`), one ordinary decision a slot, and the rewards as
they were received. Each reward and activation of the whole event is copied for every slot, whichever came first (unless it is older
than the decision by more than the window: then it is nobody's). So the join knows nothing of slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.ids import slot_event_id
from rewardloop.lake import keys
from rewardloop.lake.columns import key_array
from rewardloop.lake.manifest import Manifest
from rewardloop.lake.opening import told
from rewardloop.lake.parts import SCHEMAS, key_words
from rewardloop.lake.rows import DecisionRows
from rewardloop.slots import addressed, apart, of_slot

Slots = tuple[str, ...]

_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Spread:
    """What to append."""

    decisions: list[Decision] = field(default_factory=list)
    rewards: list[Reward] = field(default_factory=list)
    activations: list[Activation] = field(default_factory=list)
    wholes: list[Decision] = field(default_factory=list)
    early_rewards: list[pa.Table] = field(default_factory=list)
    early_activations: list[pa.Table] = field(default_factory=list)
    """Copies of what the lake had before it had the decision; they keep its `effective_at`."""
    n_copied: int = 0
    """Rewards that now count once a slot, and no longer for themselves."""
    n_copied_activations: int = 0
    n_duplicates: int = 0
    """Decisions of events that have other slots already."""


class Whole(NamedTuple):
    """An event with several slots."""

    slots: Slots
    since: int
    """`effective_at` of its earliest decision."""


def spread(directory: Path, manifest: Manifest, records: Sequence[Record], window: int) -> Spread:
    """The records of one append, taken apart."""
    if not manifest.of("wholes") and not any(getattr(record, "slots", ()) or getattr(record, "slot", "") for record in records):
        return _as_they_are(records)
    found = Spread()
    before = _known(directory, manifest, {record.event_id for record in records})
    now = dict(before)
    plain = _plain(directory, manifest, [r.event_id for r in records if isinstance(r, Decision) and r.slots])
    for record in records:
        if isinstance(record, Decision):
            _take(record, max(record.decided_at, manifest.joined + 1), plain, now, found)
    for record in records:
        if not isinstance(record, Decision):
            told_at = record.rewarded_at if isinstance(record, Reward) else record.activated_at
            whole = now.get(record.event_id)
            fits = whole is not None and max(told_at, manifest.joined + 1) >= whole.since - window
            _tell(record, whole.slots if whole and fits else (), found)
    _tell_early(directory, manifest, _Spans(before, now, window), found)
    return found


def whole_columns(decisions: Sequence[Decision], joined: int) -> pa.Table:
    """(n rows) in the schema of wholes."""
    ids = [decision.event_id for decision in decisions]
    columns = {
        "event_key": key_array(ids),
        "event_id": ids,
        "effective_at": np.maximum(np.array([decision.decided_at for decision in decisions], np.int64), joined + 1),
        "deferred": [decision.deferred for decision in decisions],
        "slots": pa.array([[choice.slot for choice in decision.slots] for decision in decisions], pa.list_(pa.string())),
        "record": pa.array([_encode(decision) for decision in decisions], pa.binary()),
    }
    return pa.table(columns, schema=SCHEMAS["wholes"])


def _as_they_are(records: Sequence[Record]) -> Spread:
    return Spread(
        [r for r in records if type(r) is Decision],
        [r for r in records if type(r) is Reward],
        [r for r in records if type(r) is Activation],
    )


def _known(directory: Path, manifest: Manifest, event_ids: Iterable[str]) -> dict[str, Whole]:
    """Those of the events that the lake has as wholes."""
    hi, lo = key_words(key_array(event_ids))
    seq = np.unique(keys.find(directory, manifest.of("wholes"), hi, lo).seq)
    if not len(seq):
        return {}
    known: dict[str, Whole] = {}
    with DecisionRows(directory, manifest.of("wholes"), ("event_id", "slots", "effective_at")) as rows:
        for row in rows.take(seq).to_pylist():
            whole = known.get(row["event_id"], Whole(tuple(row["slots"]), row["effective_at"]))
            known[row["event_id"]] = whole._replace(since=min(whole.since, row["effective_at"]))
    return known


def _plain(directory: Path, manifest: Manifest, event_ids: Sequence[str]) -> set[str]:
    """Those of the events that the lake has as ordinary decisions."""
    found = keys.find(directory, manifest.of("decisions"), *key_words(key_array(event_ids)))
    return {event_ids[i] for i in found.query.tolist()}


def _take(decision: Decision, at: int, plain: set[str], now: dict[str, Whole], found: Spread) -> None:
    """An event has the slots of the decision that came first: another with others repeats it."""
    slots = tuple(choice.slot for choice in decision.slots)
    known = now.get(decision.event_id, Whole(slots, at))
    if known.slots != slots or (slots and decision.event_id in plain):
        found.n_duplicates += max(len(slots), 1)
    elif slots:
        now[decision.event_id] = known._replace(since=min(known.since, at))
        found.wholes.append(decision)
        found.decisions += apart(decision)
    else:
        plain.add(decision.event_id)
        found.decisions.append(decision)


def _tell(record: Reward | Activation, slots: Slots, found: Spread) -> None:
    """One of a slot goes to that slot; one of the whole event to each of `slots`, too."""
    copies = [of_slot(record, slot) for slot in slots] if not getattr(record, "slot", "") else []
    if isinstance(record, Reward):
        found.rewards += [each for each in (addressed(record), *copies) if isinstance(each, Reward)]
        found.n_copied += bool(copies)
    else:
        found.activations += [each for each in (record, *copies) if isinstance(each, Activation)]
        found.n_copied_activations += bool(copies)


class _Spans(NamedTuple):
    """What an event's slots were told of so far, and what they are told of now."""

    before: Mapping[str, Whole]
    now: Mapping[str, Whole]
    window: int

    @property
    def news(self) -> dict[str, Whole]:
        """Events that the lake did not know, or knew from a later decision only."""
        return {event: whole for event, whole in self.now.items() if self.before.get(event) != whole}

    def take(self, event: str, at: int) -> bool:
        """Whether what was told then is for the event's slots, and new to them."""
        news, old = self.now.get(event), self.before.get(event)
        fits = news is not None and at >= news.since - self.window
        return fits and (old is None or at < old.since - self.window)


def _tell_early(directory: Path, manifest: Manifest, spans: _Spans, found: Spread) -> None:
    """What was told of whole events before the lake knew their slots."""
    news = spans.news
    if not news:
        return
    after = min(whole.since for whole in news.values()) - spans.window - 1
    for table in told(directory, manifest, "rewards", list(news), after):
        mine = _fitting(table, spans)
        found.early_rewards += _copies(mine, news)
        found.n_copied += mine.num_rows
    for table in told(directory, manifest, "activations", list(news), after):
        mine = _fitting(table, spans)
        found.early_activations += _copies(mine, news)
        found.n_copied_activations += mine.num_rows


def _fitting(table: pa.Table, spans: _Spans) -> pa.Table:
    events = zip(table["event_id"].to_pylist(), table["effective_at"].to_pylist(), strict=True)
    return table.filter(pa.array([spans.take(event, at) for event, at in events], pa.bool_()))


def _copies(table: pa.Table, news: Mapping[str, Whole]) -> Iterator[pa.Table]:
    """One table a row, with a row a slot."""
    for i, event in enumerate(table["event_id"].to_pylist()):
        ids = [slot_event_id(event, slot) for slot in news[event].slots]
        row = table.take(pa.array([i] * len(ids), pa.int64()))
        yield row.set_column(0, "event_id", pa.array(ids, pa.string())).add_column(0, "event_key", key_array(ids))
