"""What has been read and is old goes; nothing else does. And an audit finds what is there."""

from __future__ import annotations

from pathlib import Path

import builders
from rewardloop.log import Cursor, LogReader, LogWriter, find, prune
from rewardloop.settings import LogSettings
from rewardloop.testing.log import by_writer, drain

SMALL = LogSettings(segment_mb=1)
LATER = builders.AT + 1_000


def three_segments(directory: Path, name: str = "w") -> LogWriter:
    """Two full ones, sealed or about to be, and one that is open; record n is of the instant AT + n."""
    writer = LogWriter(directory, SMALL, name)
    for n in range(7):
        writer.commit([builders.decision(f"{name}-{n}", context=b"x" * 350_000, decided_at=builders.AT + n)])
    return writer


def segments(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.segment"))


def consumed(directory: Path, limit: int) -> Cursor:
    with LogReader(directory) as reader:
        return reader.read(limit=limit)[1]


def test_what_was_read_and_is_old_goes(tmp_path: Path) -> None:
    three_segments(tmp_path).close()
    assert prune(tmp_path, consumed(tmp_path, 7), LATER) == 3
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_read_to_its_end_stays(tmp_path: Path) -> None:
    three_segments(tmp_path).close()
    assert prune(tmp_path, Cursor(), LATER) == 0
    assert prune(tmp_path, consumed(tmp_path, 2), LATER) == 0
    assert prune(tmp_path, consumed(tmp_path, 3), LATER) == 1
    assert prune(tmp_path, consumed(tmp_path, 2), LATER) == 0
    assert segments(tmp_path) == ["w-000002.segment", "w-000003.segment"]


def test_what_is_not_older_stays(tmp_path: Path) -> None:
    three_segments(tmp_path).close()
    cursor = consumed(tmp_path, 7)
    assert prune(tmp_path, cursor, builders.AT + 2) == 0
    assert prune(tmp_path, cursor, builders.AT + 3) == 1
    assert prune(tmp_path, cursor, builders.AT + 6) == 1


def test_the_segment_being_written_stays(tmp_path: Path) -> None:
    with three_segments(tmp_path) as writer:
        cursor = consumed(tmp_path, 7)
        prune(tmp_path, cursor, LATER)
        assert "w-000003.segment" in segments(tmp_path)
        writer.commit([builders.decision("w-7")])
        with LogReader(tmp_path) as reader:
            assert by_writer(drain(reader, cursor)[0]) == {"w": [7]}


def test_a_cursor_shrinks_as_segments_go(tmp_path: Path) -> None:
    for name in "ab":
        three_segments(tmp_path, name).close()
    with LogReader(tmp_path) as reader:
        _, cursor = drain(reader, Cursor())
        assert len(cursor.positions) == 2
        assert prune(tmp_path, Cursor({"a-000003.segment": 1}), LATER) == 3
        assert reader.read(cursor) == ([], Cursor({"b-000003.segment": 1}))


def test_a_reader_does_not_mind_segments_that_go_under_its_hands(tmp_path: Path) -> None:
    three_segments(tmp_path).close()
    with LogReader(tmp_path) as reader:
        head, cursor = reader.read(limit=4)
        assert prune(tmp_path, cursor, LATER) == 1
        assert by_writer(head + drain(reader, cursor)[0]) == {"w": list(range(7))}


def test_an_audit_finds_an_event_wherever_its_records_are(tmp_path: Path) -> None:
    told = [builders.decision("e1"), builders.activation("e1"), builders.reward("e1")]
    others = [builders.decision("e11"), builders.reward("e2", reward_id="e1"), builders.decision("e3", context=b'{"e1": 1}')]
    with LogWriter(tmp_path, SMALL, "a") as one, LogWriter(tmp_path, SMALL, "b") as two:
        two.commit([*others, told[2]])
        two.commit([builders.decision("filler", context=b"x" * 2_000_000)])
        two.commit([told[1]])
        one.commit([told[0]])
        assert find(tmp_path, "e1") == told
    assert find(tmp_path, "e1") == told
    assert find(tmp_path, "e4") == find(tmp_path / "nowhere", "e1") == []
