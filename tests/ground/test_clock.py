import time

import pytest

from rewardloop.clock import SystemClock, isoformat


def test_a_clock_that_is_set_back_stands_still_until_it_has_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([5_000_000, 2_000_000, 4_999_000, 6_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(readings))
    clock = SystemClock()
    assert [clock.now() for _ in range(4)] == [5_000, 5_000, 5_000, 6_000]


def test_instants_say_their_zone() -> None:
    assert isoformat(0) == "1970-01-01T00:00:00.000000Z"
