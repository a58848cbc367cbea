"""Closed events from the lake to a file, in any format of the table. The file appears whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.durable import storage
from rewardloop.errors import InvalidInput
from rewardloop.exchange.event import ClosedEvent, ClosedSlots, EventWriter, SlotsWriter
from rewardloop.exchange.formats import Format
from rewardloop.exchange.regrouping import with_slots
from rewardloop.lake import DataSet
from rewardloop.lake.labels import Labels

COLUMNS = ("event_id", "decided_at", "model_id", "context", "actions", "pmf", "action", "probability", "values", "density")
_MAX_SETS = 1_000


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each event: events = written + refused."""

    events: int
    written: int
    refused: int
    """Events that the format cannot hold."""
    first_refusal: str = ""


def export_file(data: DataSet, path: Path, form: Format, on_progress: Callable[[int], None] = lambda _: None) -> ExportReport:
    """Writes every closed event, in the order they closed; `on_progress` gets the number done so far.

    Replaces the file once all of it is on the disk. Raises `StorageUnavailable`.
    """
    parts = path.with_name(f".{path.name}.{os.getpid()}.part")
    with storage(path):
        try:
            with parts.open("wb") as file:
                report = _write(data, file, form, on_progress)
                file.flush()
                os.fsync(file.fileno())
            parts.replace(path)
        finally:
            parts.unlink(missing_ok=True)
    return report


def closed_events(data: DataSet) -> Iterator[ClosedEvent]:
    """Every event of a data set, in the order they closed; a batch in memory at a time."""
    sets: dict[str, ActionSet] = {}
    for labels, table in data.rows(COLUMNS):
        rows = zip(*(table[name].to_pylist() for name in COLUMNS), *_told(labels), strict=True)
        for (
            event_id,
            decided_at,
            model_id,
            context,
            actions,
            pmf,
            action,
            probability,
            values,
            density,
            reward,
            share,
            closed_at,
        ) in rows:
            yield ClosedEvent(
                event_id,
                decided_at,
                model_id,
                context.encode(),
                _known(sets, actions),
                tuple(pmf),
                action,
                probability,
                reward,
                share,
                closed_at,
                tuple(values),
                density,
            )


def _write(data: DataSet, file: BinaryIO, form: Format, on_progress: Callable[[int], None]) -> ExportReport:
    writer, events, refused = form.writer(file), 0, 0
    first = ""
    for event in with_slots(data, closed_events(data)) if isinstance(writer, SlotsWriter) else closed_events(data):
        events += 1
        try:
            _write_one(form, writer, event)
        except InvalidInput as error:
            refused += 1
            first = first or str(error)
        if events % 1_000 == 0:
            on_progress(events)
    writer.close()
    return ExportReport(events=events, written=events - refused, refused=refused, first_refusal=first)


def _write_one(form: Format, writer: EventWriter, event: ClosedEvent | ClosedSlots) -> None:
    if isinstance(event, ClosedEvent):
        if event.actions.ranges is not None and not form.holds_boxes:
            raise InvalidInput(f"Expected arms, got a point of a box in event `{event.event_id}`: jsonl, csv and parquet hold it")
        writer.write(event)
    elif isinstance(writer, SlotsWriter):
        writer.write_slots(event)


def _told(labels: Labels) -> tuple[list[float], list[float], list[int]]:
    return labels.reward.tolist(), labels.sample_prob.tolist(), labels.closed_at.tolist()


def _known(sets: dict[str, ActionSet], actions: str) -> ActionSet:
    """The same JSON is parsed once."""
    known = sets.get(actions)
    if known is None:
        if len(sets) >= _MAX_SETS:
            sets.clear()
        known = sets[actions] = parse_actions(actions.encode())
    return known
