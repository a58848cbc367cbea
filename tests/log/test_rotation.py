"""Segments fill, turn over and are sealed, and neither the writer nor a reader feels it."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import builders
from processes import until
from rewardloop.log import Cursor, LogReader, LogWriter, seal_abandoned
from rewardloop.log.appender import Appender
from rewardloop.log.codec import encode
from rewardloop.log.sealing import is_sealed
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
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"w-{n:06d}.segment" for n in range(1, 5)]
    with LogReader(tmp_path) as reader:
        assert by_writer(drain(reader, Cursor())[0]) == {"w": list(range(10))}


def test_many_small_commits_fill_a_segment_too(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        for n in range(20_000):
            writer.commit(numbered([n]))
    assert all(path.stat().st_size < 1_100_000 for path in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2


def test_the_segment_made_ahead_does_not_outlive_its_writer(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w") as writer:
        fill(writer, 0, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["w-000001.segment"]


def test_an_unused_writer_leaves_nothing(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SMALL, "w"):
        pass
    assert list(tmp_path.iterdir()) == []


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
        until((tmp_path / "w-000002.segment").exists)
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
        assert cursor.positions == {"a-000003.segment": 1, "b-000003.segment": 1}


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
        assert suffixes(tmp_path) == {".segment"}


def test_a_segment_is_sealed_though_a_reader_holds_it_open(tmp_path: Path) -> None:
    with LogReader(tmp_path) as reader:
        with LogWriter(tmp_path, SMALL, "w") as writer:
            writer.commit(numbered([0, 1]))
            head, cursor = reader.read(limit=1)
        assert suffixes(tmp_path) == {".segment"}
        assert is_sealed(tmp_path / "w-000001.segment")
        assert by_writer(head + drain(reader, cursor)[0]) == {"w": [0, 1]}


def test_an_append_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    segment = Appender.make(tmp_path / "w-000001.segment", SMALL)
    row = encode(numbered([0]))[0]
    with closing(segment), LogReader(tmp_path) as reader:
        with pytest.raises(TypeError):
            segment.append([row, (0, object())])  # type: ignore[list-item]
        assert reader.lag(Cursor()) == 0
        segment.append([row, row])
        assert by_writer(reader.read()[0]) == {"w": [0, 0]}


def test_a_commit_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """As a reader sees it that looks while it is being written, and whoever comes after a writer that was killed meanwhile."""
    path = tmp_path / "w-000001.segment"
    with LogWriter(tmp_path / "source", LogSettings(), "w") as writer:
        writer.commit(numbered(range(3)))
        before = (tmp_path / "source" / path.name).stat().st_size
        writer.commit(numbered(range(3, 103)))
        written = (tmp_path / "source" / path.name).read_bytes()
    with LogReader(tmp_path) as reader:
        for size in [*range(before, len(written), 101), len(written) - 1]:
            path.write_bytes(written[:size])
            assert by_writer(drain(reader, Cursor(), 40)[0]) == {"w": [0, 1, 2]}
            assert reader.lag(Cursor()) == 3
        path.write_bytes(written)
        assert by_writer(drain(reader, Cursor(), 40)[0]) == {"w": list(range(103))}
    path.write_bytes(written[:-1])
    assert seal_abandoned(tmp_path) == [path.name]
    assert path.stat().st_size == before
    with LogReader(tmp_path) as reader:
        assert by_writer(drain(reader, Cursor())[0]) == {"w": [0, 1, 2]}


def test_a_reader_finds_its_place_in_a_large_segment(tmp_path: Path) -> None:
    with LogWriter(tmp_path, LogSettings(), "w") as writer, LogReader(tmp_path) as reader:
        for n in range(0, 600, 2):
            writer.commit([builders.decision(f"w-{n + i}", context=b"x" * 20_000) for i in range(2)])
        assert reader.lag(Cursor()) == 600
        for seq in (599, 0, 301, 300, 599, 57, 600):
            records, _ = reader.read(Cursor({"w-000001.segment": seq}), limit=3)
            assert by_writer(records).get("w", []) == list(range(seq, min(seq + 3, 600)))


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
from rewardloop.settings import LogSettings
from rewardloop.testing.log import numbered

directory = Path(sys.argv[1])
LogWriter(directory, LogSettings(), "w").commit(numbered(range(3)))
with (directory / "w-000001.segment").open("ab") as segment:
    segment.write(segment.name.encode())
(directory / "w-000002.segment.new").write_bytes(b"half")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_finished_by_whoever_comes_next(tmp_path: Path) -> None:
    """Half a commit at the end, not sealed; and the next segment was half made."""
    subprocess.run([sys.executable, "-c", HALF_DONE, str(tmp_path)], check=False)
    assert suffixes(tmp_path) == {".segment", ".lock", ".new"}
    with LogReader(tmp_path) as reader:
        assert by_writer(drain(reader, Cursor())[0]) == {"w": [0, 1, 2]}
        assert seal_abandoned(tmp_path) == ["w-000001.segment"]
        assert suffixes(tmp_path) == {".segment"}
        assert is_sealed(tmp_path / "w-000001.segment")
        assert by_writer(drain(reader, Cursor())[0]) == {"w": [0, 1, 2]}


def test_a_damaged_segment_is_not_sealed(tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "w-000001.segment"
    with LogWriter(source, SMALL, "w") as writer:
        for n in range(3):
            writer.commit(numbered([n]))
        content = bytearray((source / path.name).read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert seal_abandoned(tmp_path) == []
    assert path.read_bytes() == content
