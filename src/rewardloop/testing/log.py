"""The laws of an event log as tests. Subclass, say how to make one, and pytest runs them on yours.

class TestMyLog(LogContract):
    def make_log(self, tmp_path):
        return MyLog(tmp_path)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec

from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.log import Cursor, EventLog, EventReader

_STRANGE = '\u0000\N{SNOWMAN} "\\/ \N{MUSICAL SYMBOL G CLEF}'


def numbered(numbers: Sequence[int], writer: str = "w") -> list[Record]:
    """Rewards that say who wrote them, and as which."""
    return [Reward(f"{writer}-{n}", "offers", float(n), n) for n in numbers]


def drain(reader: EventReader, cursor: Cursor, limit: int = 10_000) -> tuple[list[Record], Cursor]:
    """Reads until nothing is left."""
    records: list[Record] = []
    while True:
        batch, cursor = reader.read(cursor, limit)
        if not batch:
            return records, cursor
        records += batch


class LogContract(ABC):
    """Every test opens a log of its own: `make_log` is given an empty directory."""

    @abstractmethod
    def make_log(self, tmp_path: Path) -> EventLog: ...

    def test_an_empty_log_has_nothing_to_read(self, tmp_path: Path) -> None:
        with closing(self.make_log(tmp_path).reader()) as reader:
            assert reader.read(Cursor())[0] == []
            assert reader.lag(Cursor()) == 0

    def test_what_was_committed_is_read_at_once_unchanged_and_in_order(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.reader()) as reader, closing(log.writer()) as writer:
            cursor, told = Cursor(), list(strange_records())
            for size in (1, 2, len(told)):
                writer.commit(told[:size])
                records, cursor = reader.read(cursor)
                assert records == told[:size]

    def test_committing_nothing_is_nothing(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.reader()) as reader, closing(log.writer()) as writer:
            writer.commit([])
            assert reader.read(Cursor())[0] == []

    def test_a_log_outlives_its_writers(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        for name in "ab":
            writer = log.writer()
            writer.commit(numbered(range(3), name))
            writer.close()
            writer.close()
        with closing(log.reader()) as reader:
            assert by_writer(drain(reader, Cursor())[0]) == {"a": [0, 1, 2], "b": [0, 1, 2]}

    def test_a_cursor_survives_json_and_a_new_reader(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.writer()) as writer:
            writer.commit(numbered(range(10)))
            with closing(log.reader()) as reader:
                head, cursor = reader.read(Cursor(), limit=4)
            writer.commit(numbered(range(10, 13)))
        cursor = msgspec.json.decode(msgspec.json.encode(cursor), type=Cursor)
        with closing(log.reader()) as reader:
            assert by_writer(head + drain(reader, cursor)[0]) == {"w": list(range(13))}

    def test_reading_changes_nothing(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.reader()) as reader, closing(log.writer()) as writer:
            writer.commit(numbered(range(10)))
            _, cursor = reader.read(Cursor(), limit=3)
            assert reader.read(cursor) == reader.read(cursor)
            assert len(drain(reader, Cursor())[0]) == 10

    def test_a_limit_is_kept_and_leaves_nothing_out(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.reader()) as reader, closing(log.writer()) as one, closing(log.writer()) as other:
            for start in (0, 7):
                one.commit(numbered(range(start, start + 7), "a"))
                other.commit(numbered(range(start, start + 7), "b"))
            for limit in (1, 2, 5, 28):
                assert len(reader.read(Cursor(), limit)[0]) <= limit
                assert by_writer(drain(reader, Cursor(), limit)[0]) == {"a": list(range(14)), "b": list(range(14))}

    def test_lag_counts_what_is_unread(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.reader()) as reader, closing(log.writer()) as one, closing(log.writer()) as other:
            one.commit(numbered(range(5)))
            other.commit(numbered(range(6)))
            records, cursor = reader.read(Cursor(), limit=4)
            assert reader.lag(cursor) == 11 - len(records)
            assert reader.lag(drain(reader, cursor)[1]) == 0

    def test_the_end_is_where_later_records_follow(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        with closing(log.reader()) as reader, closing(log.writer()) as writer:
            writer.commit(numbered(range(5)))
            end = reader.end()
            assert reader.lag(end) == 0
            writer.commit(numbered(range(5, 7)))
            assert by_writer(drain(reader, end)[0]) == {"w": [5, 6]}

    def test_several_writers_and_an_impatient_reader(self, tmp_path: Path) -> None:
        log = self.make_log(tmp_path)
        writers = {name: log.writer() for name in "abc"}

        def write(name: str) -> None:
            for n in range(0, 200, 4):
                writers[name].commit(numbered(range(n, n + 4), name))

        with ThreadPoolExecutor(len(writers)) as threads, closing(log.reader()) as reader:
            writing = [threads.submit(write, name) for name in writers]
            records, cursor = read_until(reader, lambda: all(future.done() for future in writing))
            for future in writing:
                future.result()
            records += drain(reader, cursor)[0]
        for writer in writers.values():
            writer.close()
        assert by_writer(records) == {name: list(range(200)) for name in "abc"}


def read_until(reader: EventReader, done: Callable[[], bool]) -> tuple[list[Record], Cursor]:
    """Reads without a pause."""
    records: list[Record] = []
    cursor = Cursor()
    while not done():
        batch, cursor = reader.read(cursor, 50)
        records += batch
    return records, cursor


def by_writer(records: Sequence[Record]) -> dict[str, list[int]]:
    """The numbers that `numbered` gave, in the order read, a list a writer.

    >>> by_writer(numbered([1, 2], "a") + numbered([7], "b"))
    {'a': [1, 2], 'b': [7]}
    """
    numbers: dict[str, list[int]] = {}
    for record in records:
        writer, _, number = record.event_id.rpartition("-")
        numbers.setdefault(writer, []).append(int(number))
    return numbers


def strange_records() -> Iterator[Record]:
    """One of each kind, with the values that are apt to be mangled."""
    yield Decision(
        _STRANGE,
        "offers",
        "",
        -(2**63),
        b"\x00\xff{}",
        b"",
        (0.1 + 0.2, 5e-324, 1.0),
        2,
        1.0,
        2**64 - 1,
        0.0,
        (0, 1),
        False,
        True,
        "b",
    )
    yield Decision("wide", "offers", "offers.1", 2**63 - 1, b"x" * 100_000, b"[]", (0.001,) * 1000, 0, 0.001, 0, 0.5)
    yield Reward(_STRANGE, "offers", -1.7976931348623157e308, 0, _STRANGE, True)
    yield Activation(_STRANGE, "offers", 1)
