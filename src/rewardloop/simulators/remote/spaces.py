"""Spaces and their values as JSON, and back: exact to the bit, and suspicious of whatever comes from outside."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final, Literal

import msgspec
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.errors import InvalidInput

_LARGEST: Final = 1 << 22
_DEEPEST: Final = 4
_WIDEST: Final = 100
Space = spaces.Space[Any]
Bound = float | Literal["inf", "-inf"]


class _Box(msgspec.Struct, tag_field="type", tag="box", forbid_unknown_fields=True):
    shape: list[int]
    low: Bound | list[Bound]
    high: Bound | list[Bound]
    dtype: Literal["float32", "float64", "uint8", "int8", "int16", "int32", "int64"] = "float32"


class _Discrete(msgspec.Struct, tag_field="type", tag="discrete", forbid_unknown_fields=True):
    n: int
    start: int = 0


class _Multi(msgspec.Struct, tag_field="type", tag="multi_discrete", forbid_unknown_fields=True):
    nvec: list[int]


class _Binary(msgspec.Struct, tag_field="type", tag="multi_binary", forbid_unknown_fields=True):
    n: int


class _Dict(msgspec.Struct, tag_field="type", tag="dict", forbid_unknown_fields=True):
    spaces: dict[str, dict[str, Any]]


def described(space: Space) -> dict[str, Any]:
    """A space as the protocol says it; raises `InvalidInput` for one that it has no words for.

    >>> described(spaces.Discrete(3))
    {'type': 'discrete', 'n': 3, 'start': 0}
    """
    match space:
        case spaces.Box():
            low, high = (_spelled(side) for side in (space.low, space.high))
            return {"type": "box", "shape": list(space.shape), "low": low, "high": high, "dtype": str(space.dtype)}
        case spaces.Discrete():
            return {"type": "discrete", "n": int(space.n), "start": int(space.start)}
        case spaces.MultiDiscrete() if space.nvec.ndim == 1 and not np.any(space.start):
            return {"type": "multi_discrete", "nvec": space.nvec.tolist()}
        case spaces.MultiBinary() if len(space.shape) == 1:
            return {"type": "multi_binary", "n": int(space.shape[0])}
        case spaces.Dict():
            return {"type": "dict", "spaces": {name: described(part) for name, part in space.spaces.items()}}
    raise InvalidInput(f"Expected a box, discrete, multi-discrete, multi-binary or dict space, got {space}")


def understood(description: dict[str, Any], at: str, depth: int = 0) -> Space:
    """The space of a description from outside; raises `InvalidInput` with the place."""
    try:
        it = msgspec.convert(description, _Box | _Discrete | _Multi | _Binary | _Dict)
        if isinstance(it, _Dict):
            if depth >= _DEEPEST or not 0 < len(it.spaces) <= _WIDEST:
                raise ValueError(f"a dict of 1 to {_WIDEST} spaces, at most {_DEEPEST} deep")
            return spaces.Dict({name: understood(part, f"{at}.{name}", depth + 1) for name, part in it.spaces.items()})
        return _flat(it)
    except (msgspec.ValidationError, ValueError, AssertionError, OverflowError, TypeError) as error:
        raise InvalidInput(f"Expected a space as the protocol describes it: {error}", at=at) from None


def difference(one: dict[str, Any], other: dict[str, Any], at: str) -> str:
    """Where two descriptions first differ, in words; empty where they do not.

    >>> difference({"type": "discrete", "n": 3}, {"type": "discrete", "n": 4}, "action_space")
    'action_space.n: 3 became 4'
    """
    for key in sorted({*one, *other}):
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            if inner := difference(a, b, f"{at}.{key}"):
                return inner
        elif a != b:
            return f"{at}.{key}: {a!r:.80} became {b!r:.80}"
    return ""


def said(space: Space, value: Any) -> Any:
    """A value of a space as JSON can carry it: numbers flat, by rows; bytes of a `uint8` box as base64."""
    match space:
        case spaces.Dict():
            return {name: said(part, value[name]) for name, part in space.spaces.items()}
        case spaces.Discrete():
            return int(value)
        case spaces.Box() if space.dtype == np.uint8:
            return base64.b64encode(np.asarray(value, dtype=np.uint8).tobytes()).decode()
    return np.asarray(value, dtype=space.dtype).ravel().tolist()


def heard(space: Space, value: Any, at: str) -> Any:
    """A value from outside; raises `InvalidInput` with the place where it is none of the space."""
    if isinstance(space, spaces.Dict):
        if not isinstance(value, dict) or set(value) != set(space.spaces):
            raise InvalidInput(f"Expected an object with {', '.join(space.spaces)}, got {value!r:.100}", at=at)
        return {name: heard(part, value[name], f"{at}.{name}") for name, part in space.spaces.items()}
    read = _number(value) if isinstance(space, spaces.Discrete) else _numbers(space, value)
    if read is None or not space.contains(read):
        raise InvalidInput(f"Expected a value of {space}, got {value!r:.100}", at=at)
    return read


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _numbers(space: Space, value: Any) -> NDArray[Any] | None:
    """An array of the space's shape and type, or None."""
    if isinstance(value, str) and space.dtype == np.uint8:
        return _pixels(space, value)
    if not isinstance(value, list):
        return None
    whole = np.dtype(space.dtype).kind in "iu"
    try:
        array = np.array(value)
        if array.dtype.kind not in ("iu" if whole else "iuf") or array.size != np.prod(space.shape or ()):
            return None
        with np.errstate(over="ignore"):
            read = array.astype(space.dtype).reshape(space.shape or ())
    except (ValueError, TypeError, OverflowError):
        return None
    exact = np.array_equal(read.ravel(), array.ravel()) if whole else bool(np.isfinite(read).all())
    return read if exact else None


def _pixels(space: Space, text: str) -> NDArray[Any] | None:
    try:
        array = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
        return array.reshape(space.shape or ()).copy()
    except (binascii.Error, ValueError):
        return None


def _flat(it: _Box | _Discrete | _Multi | _Binary) -> Space:
    match it:
        case _Discrete():
            return spaces.Discrete(it.n, start=it.start)
        case _Multi():
            if len(it.nvec) > _LARGEST:
                raise ValueError("too many choices")
            return spaces.MultiDiscrete(it.nvec)
        case _Binary():
            if not 0 < it.n <= _LARGEST:
                raise ValueError(f"a number from 1 to {_LARGEST:,}")
            return spaces.MultiBinary(it.n)
    if len(it.shape) > 8 or any(n < 1 for n in it.shape) or np.prod(it.shape, dtype=float) > _LARGEST:
        raise ValueError(f"a shape of at most {_LARGEST:,} numbers")
    low, high = (np.array([float(x) for x in side] if isinstance(side, list) else float(side)) for side in (it.low, it.high))
    kind = np.dtype(it.dtype)
    if np.isnan([*low.flat, *high.flat]).any() or (kind.kind in "iu" and not np.isfinite([*low.flat, *high.flat]).all()):
        raise ValueError("bounds that are numbers")
    with np.errstate(over="ignore"):
        full = [np.broadcast_to(side if side.ndim == 0 else side.reshape(it.shape), it.shape) for side in (low, high)]
        sides = [side.astype(kind) for side in full]
    if np.any(sides[0] > sides[1]):
        raise ValueError("low above high")
    return spaces.Box(sides[0], sides[1], dtype=kind.type)


def _spelled(side: NDArray[Any]) -> Any:
    """One number where all are the same."""
    first = side.flat[0] if side.size else 0
    return _bound(first) if bool((side == first).all()) else [_bound(value) for value in side.ravel()]


def _bound(value: Any) -> Any:
    number = float(value)
    return (
        int(value) if np.asarray(value).dtype.kind in "iu" else number if np.isfinite(number) else "inf" if number > 0 else "-inf"
    )
