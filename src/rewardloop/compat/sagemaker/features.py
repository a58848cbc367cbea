"""Between the unnamed lists of numbers that SageMaker's bandits send and named features. Both ways; nothing else."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from rewardloop.features import MAX_FEATURES, MAX_MAGNITUDE, Features
from rewardloop.serving.replies import encode

Value = Annotated[float, Meta(gt=-MAX_MAGNITUDE, lt=MAX_MAGNITUDE)] | str | bool | None
Vector = Annotated[list[Value], Meta(max_length=MAX_FEATURES)]
Observed = Vector | dict[str, Any]
"""A list, as in 2019; or an object whose features have names."""

OBSERVATION, SHARED, ACTION = "observation", "shared", "action"
"""`observation[0]`, `observation[1]`, … for fixed arms, as a warm start names them; `shared[0]` and `action[0]` with features."""

_CACHED = 256


def named(values: Observed, prefix: str) -> dict[str, Any]:
    """Features by name. A null is absent, a text is categorical.

    >>> named([1.0, "red"], "observation")
    {'observation[0]': 1.0, 'observation[1]': 'red'}
    >>> named({"age": 31}, "observation")
    {'age': 31}
    """
    return values if isinstance(values, dict) else dict(zip(_names(prefix, len(values)), values, strict=True))


def context(values: Observed) -> Raw:
    """An observation as the context that is logged."""
    return Raw(encode(named(values, OBSERVATION)))


def shared_context(values: Observed | None, user_id: str | int | None) -> Raw:
    """What all actions share. The user is a categorical feature, so that what one likes can be learned."""
    features = named(values, SHARED) if values is not None else {}
    return Raw(encode(features if user_id is None else {**features, "user_id": str(user_id)}))


def actions(rows: list[Observed]) -> Raw:
    """Actions with features; their ids are their positions, from 0."""
    return Raw(encode([{"id": str(i), "features": named(row, ACTION)} for i, row in enumerate(rows)]))


def observation(features: Features) -> list[float | str] | Features:
    """The list that features were made of; features that have names of their own stay as they are.

    >>> observation({"observation[0]": 1.0, "observation[1]": "red"}), observation({"age": 31})
    ([1.0, 'red'], {'age': 31})
    """
    return list(features.values()) if tuple(features) == _names(OBSERVATION, len(features)) else features


@cache
def _few(prefix: str, n: int) -> tuple[str, ...]:
    return tuple(f"{prefix}[{i}]" for i in range(n))


def _names(prefix: str, n: int) -> tuple[str, ...]:
    return _few(prefix, n) if n <= _CACHED else tuple(f"{prefix}[{i}]" for i in range(n))


decode_observed = msgspec.json.Decoder(Observed).decode
