"""What an invocation answers, and how it is written: JSON, JSON lines, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec

from rewardloop.clock import SECOND
from rewardloop.compat.sagemaker.requests import CSV_TYPE, JSON_TYPE
from rewardloop.errors import UnsupportedMedia
from rewardloop.events import Decision


class ArmAnswer(msgspec.Struct, frozen=True, gc=False):
    """One of fixed arms."""

    action: int
    """From 1."""
    action_prob: float
    event_id: str
    timestamp: int
    """Seconds UTC."""
    sample_prob: float
    """U[0, 1), drawn once a decision: what is at most the training ratio trains, the rest evaluates, for ever."""
    model_id: str


class ActionsAnswer(msgspec.Struct, frozen=True, gc=False):
    """Actions that the request brought."""

    actions: list[int]
    """Positions among those offered, from 0."""
    action_probs: list[float]
    """Each given those above it: their product is the probability of the whole."""
    event_id: str
    timestamp: int
    sample_prob: float
    model_id: str


class ModelIdAnswer(msgspec.Struct, frozen=True):
    model_id: str
    experiment: str


class RewardAnswer(msgspec.Struct, frozen=True):
    """`success`; or `late`, where it is in the log and will not be learned from."""

    status: str
    message: str | msgspec.UnsetType = msgspec.UNSET


Answer = ArmAnswer | ActionsAnswer

encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


def answer(decision: Decision, with_features: bool) -> Answer:
    """A decision as SageMaker's containers tell it."""
    at = decision.decided_at // SECOND
    if with_features:
        chosen = [choice.action for choice in decision.slots] or [decision.action]
        shares = [choice.probability for choice in decision.slots] or [decision.probability]
        return ActionsAnswer(chosen, shares, decision.event_id, at, decision.sample_prob, decision.model_id)
    return ArmAnswer(decision.action + 1, decision.probability, decision.event_id, at, decision.sample_prob, decision.model_id)


def write_one(told: Answer, kind: bytes) -> bytes:
    """One answer; in a list of one where the type is one of lists."""
    return encode(told) if kind == JSON_TYPE else write_many([told], kind)


def write_many(told: Sequence[Answer], kind: bytes) -> bytes:
    """One answer a line, in the order of the requests. CSV has columns for fixed arms only."""
    return _csv(told) if kind == CSV_TYPE else _encode_lines(told)


def check_writable(with_features: bool, kind: bytes) -> None:
    """Before anything is decided: raises `UnsupportedMedia` where the answers will have no place in CSV."""
    if with_features and kind == CSV_TYPE:
        raise UnsupportedMedia("Expected Accept application/json or application/jsonlines for actions with features, got text/csv")


def _csv(told: Sequence[Answer]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(msgspec.structs.astuple, told))
    return text.getvalue().encode()
