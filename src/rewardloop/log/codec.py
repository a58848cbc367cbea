"""Records to bytes and back: MessagePack arrays, tagged by kind. Nothing here knows where they are kept."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewardloop.events import Activation, Decision, Record, Reward

KINDS: dict[type, int] = {Decision: 0, Reward: 1, Activation: 2}
"""What the `kind` column holds. A number is never used again for something else."""

Row = tuple[int, bytes]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Record]).decode


def encode(records: Sequence[Record]) -> list[Row]:
    """A (kind, payload) pair a record."""
    return [(KINDS[type(record)], _encode(record)) for record in records]


def decode(payloads: Sequence[bytes]) -> list[Record]:
    """The records, by one call of the decoder for all (a call each costs half as much again). Raises `ValueError`.

    >>> decode([payload for _, payload in encode([Activation("e1", "offers", 5)])])
    [Activation(event_id='e1', experiment='offers', activated_at=5)]
    """
    array32 = b"\xdd" + len(payloads).to_bytes(4, "big")
    try:
        return _decode(array32 + b"".join(payloads))
    except (msgspec.MsgspecError, TypeError) as error:
        raise ValueError(str(error)) from error


def instant(record: Record) -> int:
    """When it happened, in microseconds UTC."""
    match record:
        case Decision():
            return record.decided_at
        case Reward():
            return record.rewarded_at
        case Activation():
            return record.activated_at
