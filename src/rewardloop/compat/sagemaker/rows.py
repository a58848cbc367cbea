"""The rows of 2019's scripts: joined rows and reward rows, from dictionaries of whatever numbers the script has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from rewardloop.compat.sagemaker.features import Observed, named
from rewardloop.errors import InvalidInput
from rewardloop.exchange.joined.rows import OBSERVATION

MAX_ROWS = 10_000_000

T = TypeVar("T")
Row = Mapping[str, object]


class JoinedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with its reward. Further keys are allowed: scripts keep notes in them."""

    reward: float
    event_id: str | int
    action: Annotated[int, Meta(ge=1)]
    """From 1."""
    action_prob: Annotated[float, Meta(gt=0, le=1)]
    observation: Observed
    model_id: str | None = None
    sample_prob: Annotated[float, Meta(ge=0, le=1)] | None = None


class RewardRow(msgspec.Struct, frozen=True, kw_only=True):
    event_id: str | int
    reward: float


def joined_rows(buffer: Sequence[Row]) -> list[JoinedRow]:
    """Raises `InvalidInput` naming the row, and then nothing was taken in."""
    return _rows(buffer, list[JoinedRow], "a list of joined rows")


def reward_rows(buffer: Sequence[Row]) -> list[RewardRow]:
    """Raises `InvalidInput` naming the row, and then nothing was taken in."""
    return _rows(buffer, list[RewardRow], "a list of rewards")


def history_line(row: JoinedRow, event_id: str, action_id: str) -> bytes:
    """The row as a line of native history."""
    line: dict[str, object] = {
        "event_id": event_id,
        "context": named(row.observation, OBSERVATION),
        "action": action_id,
        "probability": row.action_prob,
        "reward": row.reward,
    }
    if row.sample_prob is not None:
        line["sample_prob"] = row.sample_prob
    if row.model_id is not None:
        line["model_id"] = row.model_id
    return msgspec.json.encode(line)


def plain(value: object) -> object:
    """numpy's scalars and arrays as Python's own; raises `InvalidInput` for what is neither."""
    to_plain = getattr(value, "tolist", None)
    if to_plain is None:
        raise InvalidInput(f"Expected numbers, texts and lists, got {type(value).__name__}")
    plain_value: object = to_plain()
    return plain_value


def _rows(buffer: Sequence[Row], kind: type[T], words: str) -> T:
    try:
        return msgspec.json.decode(msgspec.json.encode(buffer, enc_hook=plain), type=kind)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise InvalidInput(f"Expected {words}: {error}") from None
