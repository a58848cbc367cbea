"""Actions whose features have the names that the last ones had: read without a dictionary for each. What is on offer is `offers`.

A client sends the same names in every request, and only the numbers under them differ. Names that came twice running become a
type, and JSON of that shape is decoded to it at half the cost. Whatever is another shape, or wrong, is left to `parse_actions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from rewardloop.actions import ActionId, ActionSet
from rewardloop.events import MAX_CANDIDATES
from rewardloop.features import Number
from rewardloop.tables import Table

_numbers = msgspec.structs.astuple

MAX_SHAPES: Final = 32
"""Types made in all. A client that invents names is read the usual way."""
MAX_NAMES: Final = 256
"""Of features in a type: more are looked up too slowly where they come in another order."""


class Shape:
    """Actions that all have numbers under these names, in whatever order. Raises `ValueError` for names that no type may have.

    >>> shape = Shape(("price", "age"))
    >>> shape.read(b'[{"id": "a", "features": {"price": 3, "age": 1.5}}]').features[0]
    {'price': 3.0, 'age': 1.5}
    >>> shape.read(b'[{"id": "a", "features": {"price": 3}}]'), shape.read(b'["a"]')
    (None, None)
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        fields = {f"n{i}": name for i, name in enumerate(names)}
        own = msgspec.defstruct("Own", [(field, Number) for field in fields], rename=fields, forbid_unknown_fields=True, gc=False)
        action = msgspec.defstruct("Action", [("id", ActionId), ("features", own)], forbid_unknown_fields=True, gc=False)
        self._decode = msgspec.json.Decoder(list[action]).decode  # type: ignore[valid-type]
        self.names = names

    def read(self, raw: bytes) -> ActionSet | None:
        """The actions; None where they are of another shape, or something is wrong with them."""
        try:
            actions = self._decode(raw)
        except (ValueError, RecursionError):
            return None
        ids = tuple([action.id for action in actions])  # type: ignore[attr-defined]
        if not 1 <= len(ids) <= MAX_CANDIDATES or len(set(ids)) != len(ids):
            return None
        rows = [_numbers(action.features) for action in actions]  # type: ignore[attr-defined]
        return ActionSet(ids, Table.of(self.names, rows), raw)


class Shapes:
    """The shape of the last actions, and those that were before."""

    def __init__(self) -> None:
        self._latest: tuple[str, ...] = ()
        self._shape: Shape | None = None
        self._made: dict[tuple[str, ...], Shape] = {}

    def read(self, raw: bytes) -> ActionSet | None:
        """Actions of the shape that the last ones had; None leaves them to `parse_actions`, and tell `look` of what it found."""
        found = self._shape.read(raw) if self._shape is not None else None
        if found is None:
            self._shape = None
        return found

    def look(self, actions: ActionSet) -> None:
        """Takes up the shape of actions that were read the usual way, where those before had it as well."""
        names = _names(actions.features or ())
        if names and names == self._latest:
            self._shape = self._made.get(names) or self._make(names)
        self._latest = names

    def _make(self, names: tuple[str, ...]) -> Shape | None:
        if len(self._made) >= MAX_SHAPES:
            return None
        try:
            made = self._made[names] = Shape(names)
        except ValueError:  # A name with a quote, a backslash or a control character.
            return None
        return made


def _names(rows: Sequence[object]) -> tuple[str, ...]:
    """Those that all rows have, in one order and with numbers; none where there are too many, or a row is another."""
    first, *others = rows or ({},)
    names = tuple(first) if isinstance(first, dict) else ()
    alike = 0 < len(names) <= MAX_NAMES and all(isinstance(row, dict) and tuple(row) == names for row in others)
    numbers = alike and all(type(value) is float for row in rows for value in row.values())  # type: ignore[attr-defined]
    return names if numbers else ()
