"""Segments fill, turn over and are sealed, and neither the writer nor a reader feels it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import builders
from rewardloop.log import Cursor, LogReader, LogWriter, seal_abandoned
from rewardloop.log.appender import Appender
from rewardloop.log.codec import encode
from rewardloop.log.sealing import is_sealed
from rewardloop.log.segment import wal_size
from rewardloop.settings import LogSettings
from rewardloop.testing.log import by_writer, drain, numbered

SMALL = LogSettings(segment_mb=1)
THIRD_OF_A_SEGMENT = b"x" * 350_000


def fill(writer: LogWriter, start: int, count: int) -> None:
    for n in range(start, start + count):
        writer.commit([builders.decision(f"w-{n}", context=THIRD_OF_A_SEGMENT)])


def suffixes(directory: Path) -> set[str]:
    return {path.suffix for path in directory.iterdir()}


def test_a_writer_fills_one_segment_after_the_other(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        fill(writer, 0, 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"w-{n:06d}.db" for n in range(1, 5)]
    with LogReader(tmp_path) as reader:
        assert by_writer(drain(reader, Cursor())[0]) == {"w": list(range(10))}


def test_many_small_commits_fill_a_segment_by_their_pages(tmp_path: Path) -> None:
    """The WAL holds a page a commit, however small; it is the WAL that must stay bounded."""
    with LogWriter(tmp_path, SMALL, "w") as writer:
        for n in range(1_000):
            writer.commit(numbered([n]))
            assert all(wal_size(path) < 1_200_000 for path in tmp_path.glob("*.db"))
    assert len(list(tmp_path.iterdir())) == 4


def test_the_segment_made_ahead_does_not_outlive_its_writer(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        fill(writer, 0, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["w-000001.db"]


def test_an_unused_writer_leaves_nothing(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_reader_in_the_middle_of_a_read_blocks_nobody(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        fill(writer, 0, 1)
        with closing(sqlite3.connect(tmp_path / "w-000001.db", isolation_level=None)) as other:
            other.execute("BEGIN")
            assert other.execute("SELECT count(*) FROM record").fetchone() == (1,)
            fill(writer, 1, 9)
            assert other.execute("SELECT count(*) FROM record").fetchone() == (1,)
            other.execute("COMMIT")
        with LogReader(tmp_path) as reader:
            assert by_writer(drain(reader, Cursor())[0]) == {"w": list(range(10))}
    assert suffixes(tmp_path) == {".db"}


def test_readers_that_never_rest_see_all_of_it(tmp_path: Path) -> None:
    done = threading.Event()
    seen: list[dict[str, list[int]]] = []

    def listen(limit: int) -> None:
        with LogReader(tmp_path) as reader:
            records, cursor = reader.read(limit=limit)
            while not done.is_set():
                batch, cursor = reader.read(cursor, limit)
                records += batch
            seen.append(by_writer(records + drain(reader, cursor, limit)[0]))

    readers = [threading.Thread(target=listen, args=(limit,)) for limit in (1, 10_000)]
    for thread in readers:
        thread.start()
    with LogWriter(tmp_path, SMALL, "w") as writer:
        for n in range(0, 1_200, 3):
            writer.commit([builders.decision(f"w-{n + i}", context=b"x" * 5_000) for i in range(3)])
    done.set()
    for thread in readers:
        thread.join()
    assert seen == [{"w": list(range(1_200))}] * 2


def test_a_commit_that_comes_as_the_segment_turns_is_not_skipped(tmp_path: Path) -> None:
    """The next segment exists long before it is used; a reader that moves on to it too early would lose what follows."""
    with LogWriter(tmp_path, SMALL, "w") as writer, LogReader(tmp_path) as reader:
        writer.commit([builders.decision("w-0", context=b"x" * 600_000)])
        writer.commit(numbered([1]))
        while not (tmp_path / "w-000002.db").exists():
            pass
        head, cursor = drain(reader, Cursor())
        end = reader.end()
        assert reader.lag(cursor) == reader.lag(end) == 0
        writer.commit(numbered([2]))
        fill(writer, 3, 3)
        assert by_writer(drain(reader, cursor)[0]) == by_writer(drain(reader, end)[0]) == {"w": [2, 3, 4, 5]}
    assert by_writer(head) == {"w": [0, 1]}


def test_a_cursor_holds_one_position_a_writer(tmp_path: Path) -> None:
    with LogReader(tmp_path) as reader:
        for name in "ab":
            with LogWriter(tmp_path, SMALL, name) as writer:
                fill(writer, 0, 7)
        _, cursor = drain(reader, Cursor())
        assert cursor.positions == {"a-000003.db": 1, "b-000003.db": 1}


def test_a_name_used_again_goes_on_after_its_last_segment(tmp_path: Path) -> None:
    with LogReader(tmp_path) as reader:
        records, cursor = [], Cursor()
        for start in (0, 2):
            with LogWriter(tmp_path, SMALL, "w") as writer:
                writer.commit(numbered([start, start + 1]))
            batch, cursor = drain(reader, cursor)
            records += batch
    assert by_writer(records) == {"w": [0, 1, 2, 3]}


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        fill(writer, 0, 7)
    with LogReader(tmp_path) as reader:
        _, cursor = drain(reader, Cursor())
        assert reader.lag(cursor) == 0
        assert suffixes(tmp_path) == {".db"}


def test_a_segment_is_sealed_though_a_reader_holds_it_open(tmp_path: Path) -> None:
    with LogReader(tmp_path) as reader:
        with LogWriter(tmp_path, SMALL, "w") as writer:
            writer.commit(numbered([0, 1]))
            head, cursor = reader.read(limit=1)
        assert suffixes(tmp_path) == {".db", ".db-wal", ".db-shm"}
        assert is_sealed(tmp_path / "w-000001.db")
        assert by_writer(head + drain(reader, cursor)[0]) == {"w": [0, 1]}


def test_half_an_append_is_no_append(tmp_path: Path) -> None:
    segment = Appender.make(tmp_path / "w-000001.db", SMALL)
    row = encode(numbered([0]))[0]
    with closing(segment.connection), LogReader(tmp_path) as reader:
        with pytest.raises(sqlite3.Error):
            segment.append([row, (0, object())])  # type: ignore[list-item]
        assert reader.lag(Cursor()) == 0
        segment.append([row, row])
        assert by_writer(reader.read()[0]) == {"w": [0, 0]}


def test_the_living_are_not_sealed(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        fill(writer, 0, 2)
        assert seal_abandoned(tmp_path) == []
        fill(writer, 2, 2)
    assert seal_abandoned(tmp_path) == []


HALF_DONE = """
import os, signal, sys
from pathlib import Path
from rewardloop.log import LogWriter
from rewardloop.log.database import connect
from rewardloop.log.appender import Appender
from rewardloop.log.codec import encode
from rewardloop.log.sealing import is_sealed
from rewardloop.log.segment import wal_size
from rewardloop.settings import LogSettings
from rewardloop.testing.log import numbered

directory = Path(sys.argv[1])
LogWriter(directory, LogSettings(), "w").commit(numbered(range(3)))
(directory / "w-000002.db.new").write_bytes(b"half")
connect(directory / "w-000001.db").execute("INSERT INTO meta VALUES ('sealed', 1)")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_seal_cut_short_is_finished_by_whoever_comes_next(tmp_path: Path) -> None:
    """Marked, but the records are still in the WAL; and the next segment was half made."""
    subprocess.run([sys.executable, "-c", HALF_DONE, str(tmp_path)], check=False)
    assert suffixes(tmp_path) == {".db", ".db-wal", ".db-shm", ".lock", ".new"}
    assert seal_abandoned(tmp_path) == ["w-000001.db"]
    assert suffixes(tmp_path) == {".db"}
    with LogReader(tmp_path) as reader:
        assert by_writer(drain(reader, Cursor())[0]) == {"w": [0, 1, 2]}
