"""What recurs is kept, and nothing without bound."""

from __future__ import annotations

from rewardloop.recurring import MAX_BYTES, MAX_KEPT, MAX_SEEN, Recurring, recurring


def test_what_comes_twice_is_made_twice_and_no_more() -> None:
    made: list[bytes] = []

    @recurring
    def length(raw: bytes) -> int:
        made.append(raw)
        return len(raw)

    assert [length(b"abc") for _ in range(5)] == [3] * 5
    assert len(made) == 2


def test_what_is_long_is_not_kept() -> None:
    kept = Recurring[int]()
    for _ in range(3):
        kept.keep(bytes(MAX_BYTES + 1), 1)
    assert not kept


def test_no_more_is_kept_or_remembered_than_there_is_room_for() -> None:
    kept = Recurring[int]()
    for i in range(3 * MAX_SEEN):
        kept.keep(b"%d" % i, i)
        kept.keep(b"%d" % i, i)
        assert kept.find(b"%d" % i) == i
        assert len(kept) <= MAX_KEPT
    assert len(kept._newcomers._seen) <= MAX_SEEN
