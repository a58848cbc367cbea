"""What is moved from the log to the lake in one turn, while decisions go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.builders import AT, decision, reward

from rewardloop.clock import SECOND, ManualClock
from rewardloop.events import Record
from rewardloop.lake import Lake
from rewardloop.log import LogReader, LogWriter
from rewardloop.loop.collecting import collect, log_position
from rewardloop.settings import LogSettings, RewardSettings

ENOUGH = 20


class Traffic(Lake):
    """A lake of a busy experiment: whenever something is taken up, another visitor has been served, and some time has passed."""

    def __init__(self, directory: Path, writer: LogWriter, clock: ManualClock) -> None:
        super().__init__(directory, RewardSettings())
        self.appended = 0
        self._writer = writer
        self._clock = clock

    def append(self, records: Sequence[Record], cursor: bytes) -> None:
        super().append(records, cursor)
        self.appended += 1
        self._clock.advance(SECOND)
        if self.appended < ENOUGH:
            visit(self._writer, f"during-{self.appended}", self._clock.now())


def visit(writer: LogWriter, event_id: str, at: int) -> None:
    writer.commit([decision(event_id, decided_at=at), reward(event_id, rewarded_at=at)])


def test_a_turn_takes_what_was_there_when_it_began_however_much_comes_meanwhile(tmp_path: Path) -> None:
    clock = ManualClock(AT)
    with LogWriter(tmp_path / "log", LogSettings(), "w") as writer, LogReader(tmp_path / "log") as reader:
        lake = Traffic(tmp_path / "lake", writer, clock)
        visit(writer, "before", clock.now())
        clock.advance(SECOND)
        watermark = collect(reader, lake, clock)
        joined = lake.join(watermark)
        assert (lake.appended, joined.n) == (1, 1)
        assert reader.lag(log_position(lake)) == 2  # The visitor who came meanwhile is left for the next turn, and counted.


def test_all_is_taken_in_reads_that_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewardloop.loop.collecting.FIRST", 10)
    monkeypatch.setattr("rewardloop.loop.collecting.CHUNK_BYTES", 500)
    clock = ManualClock(AT)
    with LogWriter(tmp_path / "log", LogSettings(), "w") as writer, LogReader(tmp_path / "log") as reader:
        lake = Traffic(tmp_path / "lake", writer, clock)
        lake.appended = ENOUGH  # No more visitors.
        for n in range(50):
            visit(writer, f"e{n}", clock.now())
        clock.advance(SECOND)
        assert lake.join(collect(reader, lake, clock)).n == 50
        assert lake.appended - ENOUGH == 4
