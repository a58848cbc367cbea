"""Damaged files: found, named, put aside with what can be saved."""

from __future__ import annotations

import os
import random
from pathlib import Path
from zlib import crc32

import pytest

import builders
from rewardloop.errors import CorruptSegment, DirectoryInUse, InvalidInput, NotFound
from rewardloop.log import Cursor, LogReader, LogWriter, find, header, quarantine
from rewardloop.log.codec import MAX_GROUP
from rewardloop.log.frame import Frame, frames, pack
from rewardloop.log.header import Header
from rewardloop.settings import LogSettings
from rewardloop.testing.log import by_writer, drain, numbered

COUNT = 2_000
BLOCK = 4096


def sealed_segment(directory: Path, writer: str = "w") -> Path:
    with LogWriter(directory, LogSettings(), writer) as log:
        log.commit([builders.decision(f"{writer}-{n}") for n in range(COUNT)])
    return directory / f"{writer}-000001.segment"


def overwrite(path: Path, block: int, blocks: int) -> None:
    with path.open("r+b") as file:
        file.seek(block * BLOCK)
        file.write(random.Random(block).randbytes(blocks * BLOCK))


def found(path: Path) -> list[Frame]:
    return list(frames(path.read_bytes(), header.SIZE))


def rewrite(path: Path, parts: list[bytes]) -> None:
    """The segment, sealed, of these frames."""
    size = header.SIZE + sum(map(len, parts))
    path.write_bytes(b"".join((Header(True, False, size, COUNT, builders.AT).encode(), *parts)))


def read_all(directory: Path, cursor: Cursor = Cursor()) -> dict[str, list[int]]:  # noqa: B008
    with LogReader(directory) as reader:
        return by_writer(drain(reader, cursor)[0])


@pytest.mark.parametrize(("block", "blocks"), [(0, 1), (1, 1), (5, 1), (20, 10)], ids=["header", "first", "one", "ten"])
def test_garbage_is_found_named_and_put_aside(tmp_path: Path, block: int, blocks: int) -> None:
    path = sealed_segment(tmp_path)
    overwrite(path, block, blocks)
    damaged = path.read_bytes()
    with pytest.raises(CorruptSegment, match=r"w-000001\.segment.*salvage"):
        read_all(tmp_path)
    salvage = quarantine(path)
    assert salvage.aside.read_bytes() == damaged
    left = read_all(tmp_path)["w"]
    assert len(left) == salvage.kept
    assert left == sorted(set(left))
    assert salvage.kept + salvage.missing == COUNT
    assert 0 < salvage.missing < 4 * MAX_GROUP + 40 * blocks


@pytest.mark.parametrize("sealed", [True, False])
def test_a_single_bit_anywhere_is_noticed(tmp_path: Path, sealed: bool) -> None:
    path = tmp_path / "w-000001.segment"
    with LogWriter(tmp_path, LogSettings(), "w") as writer:
        for n in range(3):
            writer.commit(numbered([n]))
        open_one = path.read_bytes()
    whole = path.read_bytes() if sealed else open_one
    cared_for = len(whole) if sealed else found(path)[-2].end
    for bit in random.Random(0).sample(range(8 * cared_for), 300):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(CorruptSegment):
            read_all(tmp_path)


def test_a_file_cut_short_keeps_its_beginning(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(CorruptSegment, match=r"w-000001\.segment"):
        read_all(tmp_path)
    salvage = quarantine(path)
    assert read_all(tmp_path) == {"w": list(range(salvage.kept))}
    assert salvage.kept > COUNT // 4


@pytest.mark.parametrize("content", [b"", b"not a database", b"\x00" * 10_000])
def test_a_file_that_is_no_segment_at_all(tmp_path: Path, content: bytes) -> None:
    path = sealed_segment(tmp_path)
    path.write_bytes(content)
    with pytest.raises(CorruptSegment, match=r"w-000001\.segment"):
        read_all(tmp_path)
    assert quarantine(path)[:2] == (0, 0)
    assert read_all(tmp_path) == {}


DAMAGE = {
    "gone": ([], "record 705 where 673 was due"),
    "one too few": ([(31, b"")], "record 674 where 673 was due"),
    "one too many": ([(33, b"")], "record 672 where 673 was due"),
    "twice": ([(32, b""), (32, b"")], "record 673 where 705 was due"),
    "empty": ([(32, b"\x90")], "1968 records where 2000 were due"),
    "no MessagePack": ([(32, b"\xc1")], "does not decode"),
    "text": ([(32, b"text")], "does not decode"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_frames_that_are_whole_but_wrong_lose_their_records(tmp_path: Path, case: str) -> None:
    """No disk does this: their checksums are right. The reader believes nothing."""
    path = sealed_segment(tmp_path)
    rows, complaint = DAMAGE[case]
    whole = found(path)
    parts = [pack([(frame.n, bytes(frame.payload))], frame.last - frame.n) for frame in whole]
    wrong = next(i for i, frame in enumerate(whole) if frame.last == 704)
    parts[wrong : wrong + 1] = [pack([(n, payload or bytes(whole[wrong].payload))], 704 - n) for n, payload in rows]
    rewrite(path, parts)
    with pytest.raises(CorruptSegment, match=complaint):
        read_all(tmp_path)
    kept = COUNT if case == "twice" else COUNT - MAX_GROUP
    assert quarantine(path)[:2] == (kept, COUNT - kept)
    assert read_all(tmp_path) == {"w": [n for n in range(COUNT) if case == "twice" or not 672 <= n < 704]}


def test_half_a_commit_in_a_sealed_segment_is_damage(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    last = found(path)[-2]
    size = last.end
    path.write_bytes(Header(True, False, size, last.last, builders.AT).encode() + path.read_bytes()[header.SIZE : size])
    with pytest.raises(CorruptSegment, match="half a commit"):
        read_all(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    content = bytearray(path.read_bytes())
    content[8] = 7
    content[header.SIZE - 4 : header.SIZE] = crc32(content[: header.SIZE - 4]).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(CorruptSegment, match="format 1, got 7"):
        read_all(tmp_path)


def test_a_cursor_stays_right_across_a_quarantine(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    sealed_segment(tmp_path, "x")
    with LogReader(tmp_path) as reader:
        head, cursor = reader.read(limit=1_000)
        overwrite(path, 60, 1)
        with pytest.raises(CorruptSegment):
            drain(reader, cursor)
        salvage = quarantine(path)
        numbers = by_writer(head + drain(reader, cursor)[0])
    assert numbers["x"] == list(range(COUNT))
    assert numbers["w"] == sorted(set(numbers["w"]))
    assert len(numbers["w"]) >= salvage.kept


@pytest.mark.parametrize("limit", [1, MAX_GROUP - 1, MAX_GROUP, MAX_GROUP + 1, 100])
def test_a_cursor_may_stand_inside_a_frame(tmp_path: Path, limit: int) -> None:
    sealed_segment(tmp_path)
    with LogReader(tmp_path) as reader:
        read, cursor = reader.read(limit=limit)
        while by_writer(read)["w"][-1] < 3 * MAX_GROUP:
            assert by_writer(read)["w"] == list(range(len(read)))
            assert reader.lag(cursor) == COUNT - len(read)
            more, cursor = reader.read(cursor, limit)
            assert len(more) == limit
            read += more


def test_what_a_dead_writer_left_open_is_salvaged_too(tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "w-000001.segment"
    with LogWriter(source, LogSettings(), "w") as writer:
        for n in range(10):
            writer.commit(numbered([n]))
        path.write_bytes((source / path.name).read_bytes()[:-5])
    assert read_all(tmp_path) == {"w": list(range(9))}
    assert quarantine(path)[:2] == (9, 0)
    assert read_all(tmp_path) == {"w": list(range(9))}


def test_a_second_quarantine_keeps_what_the_first_put_aside(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    first, second = quarantine(path), quarantine(path)
    assert first[:2] == second[:2] == (COUNT, 0)
    assert first.aside != second.aside
    assert first.aside.exists()


def test_only_a_dead_writers_segment_can_be_quarantined(tmp_path: Path) -> None:
    with LogWriter(tmp_path, LogSettings(), "w") as writer:
        writer.commit(numbered([0]))
        with pytest.raises(DirectoryInUse):
            quarantine(tmp_path / "w-000001.segment")
    with pytest.raises(NotFound):
        quarantine(tmp_path / "w-000002.segment")
    with pytest.raises(InvalidInput):
        quarantine(tmp_path / "w.segment")


def test_an_audit_names_the_damaged_file(tmp_path: Path) -> None:
    overwrite(sealed_segment(tmp_path), 0, 1)
    with pytest.raises(CorruptSegment, match=r"w-000001\.segment"):
        find(tmp_path, "w-3")
