"""Durations between people (`30s`, `1h`) and the system (int microseconds)."""

from __future__ import annotations

import re
from decimal import Decimal

from rewardloop.settings.schema import Duration

_UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_TEXT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?(ms|s|m|h|d)", re.ASCII)
LONGEST = Duration(3_650 * _UNITS["d"])
EXPECTED = "a duration such as `500ms`, `30s`, `10m`, `1h`, `7d`, or a number of seconds"


def parse_duration(value: object) -> Duration:
    """Reads a duration; raises ValueError for anything else, for a negative one and for more than ten years.

    >>> parse_duration("1.5h") == parse_duration(5400) == 5_400_000_000
    True
    >>> parse_duration("1 week")
    Traceback (most recent call last):
    ValueError: Expected a duration such as `500ms`, `30s`, `10m`, `1h`, `7d`, or a number of seconds
    """
    microseconds = _microseconds(value)
    if not 0 <= microseconds <= LONGEST:
        raise ValueError(f"Expected {EXPECTED}, from 0 to 3650d")
    return Duration(round(microseconds))


def format_duration(duration: Duration) -> str:
    """The shortest exact text.

    >>> format_duration(Duration(3_600_000_000)), format_duration(Duration(90_000_000)), format_duration(Duration(7))
    ('1h', '90s', '0.000007s')
    """
    if duration == 0:
        return "0s"
    for unit, size in _UNITS.items():
        if duration % size == 0:
            return f"{duration // size}{unit}"
    return f"{duration // 1_000_000}.{duration % 1_000_000:06d}s"


def read_hook(kind: type, value: object) -> object:
    """msgspec's `dec_hook` for anything that holds settings."""
    return parse_duration(value) if kind is Duration else value


def write_hook(value: object) -> str:
    """msgspec's `enc_hook` for anything that holds settings: as text, so that no reader can mistake the unit."""
    if isinstance(value, Duration):
        return format_duration(value)
    raise TypeError(f"{type(value).__name__} is not a type that settings have")


def _microseconds(value: object) -> Decimal | int | float:
    if isinstance(value, str) and (match := _TEXT.fullmatch(value.strip())):
        return Decimal(match[1]) * _UNITS[match[2]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * 1_000_000
    raise ValueError(f"Expected {EXPECTED}")
