"""Damaged files: found, named, put aside with what can be saved."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import builders
from rewardloop.errors import CorruptSegment, DirectoryInUse, InvalidInput, NotFound
from rewardloop.log import Cursor, LogReader, LogWriter, find, quarantine
from rewardloop.log.codec import MAX_GROUP
from rewardloop.settings import LogSettings
from rewardloop.testing.log import by_writer, drain, numbered

COUNT = 2_000
PAGE = 4096


def sealed_segment(directory: Path, writer: str = "w") -> Path:
    with LogWriter(directory, LogSettings(), writer) as log:
        log.commit([builders.decision(f"{writer}-{n}") for n in range(COUNT)])
    return directory / f"{writer}-000001.db"


def overwrite(path: Path, page: int, pages: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(random.Random(page).randbytes(pages * PAGE))


def rewrite(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def read_all(directory: Path, cursor: Cursor = Cursor()) -> dict[str, list[int]]:  # noqa: B008
    with LogReader(directory) as reader:
        return by_writer(drain(reader, cursor)[0])


@pytest.mark.parametrize(("page", "pages"), [(0, 1), (1, 1), (5, 1), (20, 10)], ids=["header", "root", "leaf", "ten leaves"])
def test_garbage_is_found_named_and_put_aside(tmp_path: Path, page: int, pages: int) -> None:
    path = sealed_segment(tmp_path)
    overwrite(path, page, pages)
    damaged = path.read_bytes()
    with pytest.raises(CorruptSegment, match=r"w-000001\.db.*salvage"):
        read_all(tmp_path)
    salvage = quarantine(path)
    assert salvage.aside.read_bytes() == damaged
    left = read_all(tmp_path).get("w", [])
    assert len(left) == salvage.kept
    assert left == sorted(set(left))
    if page > 1:
        assert salvage.kept + salvage.missing == COUNT
        assert 0 < salvage.missing < 40 * pages


def test_a_file_cut_short_keeps_its_beginning(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)
    with pytest.raises(CorruptSegment, match=r"w-000001\.db"):
        read_all(tmp_path)
    salvage = quarantine(path)
    assert read_all(tmp_path) == {"w": list(range(salvage.kept))}
    assert salvage.kept > COUNT // 4


@pytest.mark.parametrize("content", [b"", b"not a database", b"\x00" * 10_000])
def test_a_file_that_is_no_segment_at_all(tmp_path: Path, content: bytes) -> None:
    path = sealed_segment(tmp_path)
    path.write_bytes(content)
    with pytest.raises(CorruptSegment, match=r"w-000001\.db"):
        read_all(tmp_path)
    assert quarantine(path)[:2] == (0, 0)
    assert read_all(tmp_path) == {}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("DELETE FROM record WHERE last = 704", "record 705 where 673 was due"),
        ("UPDATE record SET n = 31 WHERE last = 704", "record 674 where 673 was due"),
        ("UPDATE record SET n = 33 WHERE last = 704", "record 672 where 673 was due"),
        ("UPDATE record SET payload = x'90' WHERE last = 704", "1968 records where 2000 were due"),
        ("UPDATE record SET payload = x'c1' WHERE last = 704", "does not decode"),
        ("UPDATE record SET payload = 'text' WHERE last = 704", "does not decode"),
        ("UPDATE record SET payload = substr(payload, 1, 20) WHERE last = 704", "does not decode"),
    ],
)
def test_a_row_that_is_missing_or_mangled_takes_its_records_along(tmp_path: Path, damage: str, complaint: str) -> None:
    path = sealed_segment(tmp_path)
    rewrite(path, damage)
    with pytest.raises(CorruptSegment, match=complaint):
        read_all(tmp_path)
    assert quarantine(path)[:2] == (COUNT - MAX_GROUP, MAX_GROUP)
    assert read_all(tmp_path) == {"w": [n for n in range(COUNT) if not 672 <= n < 704]}


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = sealed_segment(tmp_path)
    rewrite(path, "UPDATE meta SET value = 1 WHERE key = 'format'")
    with pytest.raises(CorruptSegment, match="format 2"):
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
def test_a_cursor_may_stand_inside_a_row(tmp_path: Path, limit: int) -> None:
    sealed_segment(tmp_path)
    with LogReader(tmp_path) as reader:
        read, cursor = reader.read(limit=limit)
        while by_writer(read)["w"][-1] < 3 * MAX_GROUP:
            assert by_writer(read)["w"] == list(range(len(read)))
            assert reader.lag(cursor) == COUNT - len(read)
            more, cursor = reader.read(cursor, limit)
            assert len(more) == limit
            read += more


def test_records_in_a_wal_are_saved_and_the_wal_put_aside(tmp_path: Path) -> None:
    source = tmp_path / "source"
    with LogWriter(source, LogSettings(), "w") as writer:
        writer.commit(numbered(range(10)))
        for suffix in ("", "-wal"):
            name = f"w-000001.db{suffix}"
            (tmp_path / name).write_bytes((source / name).read_bytes())
    salvage = quarantine(tmp_path / "w-000001.db")
    assert salvage[:2] == (10, 0)
    assert Path(f"{salvage.aside}-wal").stat().st_size > 0
    assert read_all(tmp_path) == {"w": list(range(10))}


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
            quarantine(tmp_path / "w-000001.db")
    with pytest.raises(NotFound):
        quarantine(tmp_path / "w-000002.db")
    with pytest.raises(InvalidInput):
        quarantine(tmp_path / "w.db")


def test_an_audit_names_the_damaged_file(tmp_path: Path) -> None:
    overwrite(sealed_segment(tmp_path), 0, 1)
    with pytest.raises(CorruptSegment, match=r"w-000001\.db"):
        find(tmp_path, "w-3")
