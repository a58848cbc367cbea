"""What is on offer: actions by name, with features or without, or a range of values; and how a client's JSON becomes that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from rewardloop.cells import MAX_CELLS, Cells
from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.events import MAX_CANDIDATES, MAX_EVENT_ID
from rewardloop.features import Features, Flat, all_well_named, decode_flat, flatten, flatten_list
from rewardloop.json_values import json_kind, json_number, load_json

MAX_VALUES = 64
CELL = "values"
"""Id of the one cell that a box of continuous actions is."""

_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


ActionId = Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)]


class _FlatAction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: ActionId
    features: Flat = {}


_flat_actions = msgspec.json.Decoder(list[ActionId | _FlatAction])


class Ranges(NamedTuple):
    """A box of continuous actions."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class ActionSet(msgspec.Struct, frozen=True):
    """The actions on offer. `features[i]` belongs to `ids[i]`; None where no action has any (fixed arms). `raw` is logged."""

    ids: tuple[str, ...]
    features: Sequence[Features] | None
    raw: bytes
    ranges: Ranges | None = None
    """Where the action is continuous: its box, of which `ids` are the cells."""
    cells: Cells | None = None
    """Where the action is one number of a range that is cut into cells: those, of which `features` are the bumps."""

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, rows: Sequence[int]) -> ActionSet:
        """Some of them, in the order given.

        >>> parse_actions(b'["a", {"id": "b", "features": {"price": 3}}, "c"]').only([2, 1]).raw
        b'["c",{"id": "b", "features": {"price": 3}}]'
        """
        if len(rows) == len(self.ids):
            return self
        items = _decode_items(self.raw)
        features = None if self.features is None else tuple([self.features[i] for i in rows])
        return ActionSet(tuple([self.ids[i] for i in rows]), features, b"[" + b",".join([bytes(items[i]) for i in rows]) + b"]")

    def index(self, action_id: str, at: str) -> int:
        """Position of an id; raises `InvalidInput` with the nearest id."""
        try:
            return self.ids.index(action_id)
        except ValueError:
            raise InvalidInput(f"Unknown action `{action_id}`{did_you_mean(action_id, self.ids)}", at=at) from None


def parse_actions(raw: bytes, at: str = "$.actions") -> ActionSet:
    """The actions a request offers, either ids or objects with features.

    >>> parse_actions(b'["a", "b"]').ids
    ('a', 'b')
    >>> parse_actions(b'[{"id": "a", "features": {"price": 3}}, {"id": "b"}]').features
    ({'price': 3.0}, {})
    """
    plain = decode_flat(_flat_actions, raw)
    if plain is not None and (known := _plain_actions(plain, raw)):
        return known
    value = load_json(raw, at)
    if type(value) is dict and "low" in value:
        return _celled(value, raw, at) if "cells" in value else _ranged(value, raw, at)
    if type(value) is not list:
        raise InvalidInput(f"Expected an array, got {json_kind(value)}", at=at)
    if not 1 <= len(value) <= MAX_CANDIDATES:
        raise InvalidInput(f"Expected 1 to {MAX_CANDIDATES} actions, got {len(value)}", at=at)
    ids = tuple(_action_id(item, f"{at}[{i}]") for i, item in enumerate(value))
    if len(set(ids)) != len(ids):
        twice = next(i for i, action in enumerate(ids) if action in ids[:i])
        raise InvalidInput(f"Expected unique action ids, got `{ids[twice]}` twice", at=f"{at}[{twice}]")
    if not any(type(item) is dict for item in value):
        return ActionSet(ids, None, raw)
    return ActionSet(ids, tuple(_action_features(item, f"{at}[{i}]") for i, item in enumerate(value)), raw)


def fixed_actions(ids: Sequence[str]) -> ActionSet:
    """Fixed, featureless arms.

    >>> fixed_actions(["1", "2"]).raw
    b'["1","2"]'
    """
    return parse_actions(msgspec.json.encode(list(ids)), "$.actions")


def ranged_actions(low: Sequence[float], high: Sequence[float]) -> ActionSet:
    """Continuous actions in a box: one cell.

    >>> ranged_actions([0.0], [1.0]).raw
    b'{"low":[0.0],"high":[1.0]}'
    """
    return parse_actions(msgspec.json.encode({"low": list(low), "high": list(high)}))


def celled_actions(cells: Cells) -> ActionSet:
    """One continuous action, its range cut into cells.

    >>> celled_actions(Cells(20.0, 35.0, 2)).raw
    b'{"low":20.0,"high":35.0,"cells":2}'
    """
    return parse_actions(msgspec.json.encode({"low": cells.low, "high": cells.high, "cells": cells.n}))


def read_limits(raw: bytes, at: str) -> tuple[float, float]:
    """`{"low": 22, "high": 30}`: between what a request wants its value. Raises `InvalidInput`."""
    value = load_json(raw, at)
    if type(value) is not dict or set(value) != {"low", "high"}:
        raise InvalidInput('Expected {"low": …, "high": …}: the actions are continuous', at=at)
    low, high = (_side(value[side], f"{at}.{side}") for side in ("low", "high"))
    return low, high


def _celled(value: Mapping[str, object], raw: bytes, at: str) -> ActionSet:
    n = value["cells"]
    if set(value) != {"low", "high", "cells"} or type(n) is not int or not 2 <= n <= MAX_CELLS:
        raise InvalidInput(f"Expected `low`, `high` and `cells` from 2 to {MAX_CELLS}", at=at)
    cells = Cells(_side(value["low"], f"{at}.low"), _side(value["high"], f"{at}.high"), n)
    if cells.low >= cells.high:
        raise InvalidInput("Expected `low` below `high`", at=at)
    features: list[Features] = [{f"near[{i}]": bump for i, bump in enumerate(bumps)} for bumps in cells.bumps()]
    return ActionSet(cells.ids, tuple(features), raw, cells=cells)


def _side(value: object, at: str) -> float:
    if type(value) is not float and type(value) is not int:
        raise InvalidInput(f"Expected a number, got {json_kind(value)}", at=at)
    return float(json_number(value, at))


def _ranged(value: Mapping[str, object], raw: bytes, at: str) -> ActionSet:
    if set(value) != {"low", "high"}:
        raise InvalidInput("Expected `low` and `high`", at=at)
    sides: dict[str, float] = {}
    for name, numbers in value.items():
        if type(numbers) is not list or not 1 <= len(numbers) <= MAX_VALUES:
            raise InvalidInput(f"Expected an array of 1 to {MAX_VALUES} numbers, got {json_kind(numbers)}", at=f"{at}.{name}")
        flatten_list(numbers, name, f"{at}.{name}", sides)  # type: ignore[arg-type]
    low, high = (tuple(float(number) for name, number in sides.items() if name.startswith(side)) for side in ("low", "high"))
    if len(low) != len(high) or any(a >= b for a, b in zip(low, high, strict=True)):
        raise InvalidInput("Expected as many `low` as `high`, each below it", at=at)
    return ActionSet((CELL,), None, raw, Ranges(low, high))


def _plain_actions(items: list[str | _FlatAction], raw: bytes) -> ActionSet | None:
    ids = tuple([item if type(item) is str else item.id for item in items])  # type: ignore[union-attr]
    if not 1 <= len(ids) <= MAX_CANDIDATES or len(set(ids)) != len(ids):
        return None
    if {*map(type, items)} == {str}:
        return ActionSet(ids, None, raw)
    features = tuple([{} if type(item) is str else item.features for item in items])  # type: ignore[union-attr]
    return ActionSet(ids, features, raw) if all_well_named(features) else None


def _action_id(item: object, at: str) -> str:
    value = item.get("id") if type(item) is dict else item
    if type(value) is not str or not 0 < len(value) <= MAX_EVENT_ID:
        got = "none" if type(item) is dict and "id" not in item else json_kind(value)
        raise InvalidInput(f"Expected an action id of 1 to {MAX_EVENT_ID} characters, got {got}", at=at)
    if type(item) is dict and (extra := set(item) - {"id", "features"}):
        raise InvalidInput(f"Unknown key `{min(extra)}`{did_you_mean(min(extra), ('id', 'features'))}", at=at)
    return value


def _action_features(item: object, at: str) -> Features:
    features = item.get("features") if type(item) is dict else None
    if features is None:
        return {}
    if type(features) is not dict:
        raise InvalidInput(f"Expected an object, got {json_kind(features)}", at=f"{at}.features")
    return flatten(features, f"{at}.features")
