"""Durations between people and the system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.settings import Duration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("500ms", 500_000), ("30s", 30_000_000), ("10m", 600_000_000), ("1h", 3_600_000_000), ("7d", 604_800_000_000), (0.1, 100_000)],
)
def test_every_unit_and_plain_seconds(text, microseconds):
    assert parse_duration(text) == microseconds
    assert type(parse_duration(text)) is Duration


@pytest.mark.parametrize(
    "value", ["", "s", "-1s", -1, "1 week", "1e3s", "٣s", "1h30m", True, None, [], float("nan"), float("inf"), "4000d"]
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="Expected a duration"):
        parse_duration(value)


@given(st.integers(0, 3_650 * 86_400_000_000))
def test_what_is_written_reads_back(microseconds):
    assert parse_duration(format_duration(Duration(microseconds))) == microseconds
