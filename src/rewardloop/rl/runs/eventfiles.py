"""Progress as TensorBoard event files. The only file that imports TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from rewardloop.clock import SECOND, Clock


class EventFiles:
    """Numbers over steps: `tensorboard --logdir DIRECTORY` draws them. A run that is resumed adds a file."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._writer = EventFileWriter(str(directory))
        self._clock = clock

    def add(self, n_steps: int, values: Mapping[str, float]) -> None:
        summary = Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])
        self._writer.add_event(Event(wall_time=self._clock.now() / SECOND, step=n_steps, summary=summary))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()
