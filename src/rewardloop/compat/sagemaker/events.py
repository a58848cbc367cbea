"""Event ids as SageMaker's clients hold them: our text, or the 128-bit integer that theirs were."""

from __future__ import annotations

import uuid

from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_EVENT_ID

_UUID_VERSION = 7


def event_id_text(value: str | int) -> str:
    """The id as it stands in the log: a whole number, written as one or as a text of digits, is the UUID of that value.

    >>> event_id_text(2086231560489831408505884611776086017), event_id_text("order-17"), event_id_text(17)
    ('0191cb28-46e5-7003-8000-000000000001', 'order-17', '17')
    """
    text = str(value)
    if not 0 < len(text) <= MAX_EVENT_ID:
        raise InvalidInput(f"Expected an event_id of 1 to {MAX_EVENT_ID} characters, got {len(text)}", at="$.event_id")
    if text.isdecimal() and text.isascii() and int(text) < 1 << 128:
        made = uuid.UUID(int=int(text))
        return str(made) if made.version == _UUID_VERSION else text
    return text


def made_at(event_id: str) -> int:
    """When an id that was made here was made, in microseconds UTC; to the millisecond.

    >>> made_at("0190f7a0-0000-7003-8000-000000000001")
    1722141376512000
    """
    return int(event_id[:8] + event_id[9:13], 16) * 1_000
