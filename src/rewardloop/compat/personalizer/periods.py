"""Ids and periods of evaluations and feature importances, as they are written in bodies and queries."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

from rewardloop.clock import SECOND
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_EVENT_ID


def instant(text: str, at: str) -> int:
    """Microseconds UTC; a time without a zone is UTC. Raises `InvalidInput`.

    >>> instant("2022-09-24T06:13:20.5Z", "$") == instant("2022-09-24 06:13:20.5", "$") == 1_664_000_000_500_000
    True
    """
    try:
        told = datetime.fromisoformat(text)
        zoned = told if told.tzinfo else told.replace(tzinfo=UTC)
        return round((zoned - datetime.fromtimestamp(0, UTC)).total_seconds() * SECOND)
    except (ValueError, OverflowError):
        raise InvalidInput(f"Expected a date such as `2026-02-20T00:00:00Z`, got `{text[:40]}`", at=at) from None


def period(start: str, end: str) -> tuple[int, int]:
    """Raises `InvalidInput` where it does not begin before it ends."""
    found = instant(start, "$.startTime"), instant(end, "$.endTime")
    if not 0 <= found[0] < found[1]:
        raise InvalidInput("Expected a startTime before the endTime", at="$.startTime")
    return found


def checked_id(text: str) -> str:
    """Raises `InvalidInput`."""
    if not 0 < len(text) <= MAX_EVENT_ID or not text.isprintable():
        raise InvalidInput(f"Expected an id of 1 to {MAX_EVENT_ID} printable characters, got {text[:40]!r}", at="id")
    return text


def queried(query: bytes) -> dict[str, str]:
    """The last value of each name."""
    return {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}


def whole(query: dict[str, str], name: str, default: int) -> int:
    """A count from a query. Raises `InvalidInput`."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise InvalidInput(f"Expected a whole number from 0 on, got `{text[:40]}`", at=name)
    return int(text)
