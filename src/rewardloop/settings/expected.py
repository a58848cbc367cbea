"""Sentences about what a key may hold, from the types in schema.py. So a setting's bounds are written once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from msgspec import inspect

from rewardloop.settings.durations import EXPECTED as A_DURATION
from rewardloop.settings.schema import METRIC_NAME, ExperimentSettings

_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[([0-9]+)\]")


@cache
def root() -> inspect.StructType:
    kind = inspect.type_info(ExperimentSettings)
    assert isinstance(kind, inspect.StructType)
    return kind


def fields(section: inspect.StructType) -> dict[str, inspect.Field]:
    """Key as written → field."""
    return {field.encode_name: field for field in section.fields}


def description(field: inspect.Field) -> str:
    """The setting's sentence in schema.py; empty for a section."""
    said = field.type.extra_json_schema if isinstance(field.type, inspect.Metadata) else None
    return str((said or {}).get("description", ""))


def plain(kind: inspect.Type) -> inspect.Type:
    """The type itself, without its description and without `null`."""
    if isinstance(kind, inspect.Metadata):
        return plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        others = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
        return plain(others[0]) if len(others) == 1 else inspect.UnionType(tuple(others))
    return kind


def type_at(path: str) -> inspect.Type:
    """The type of the value at a JSON path that the schema has."""
    kind: inspect.Type = root()
    for key, index in _STEP.findall(path):
        kind = _member(kind) if key else kind
        kind = plain(fields(kind)[key].type) if isinstance(kind, inspect.StructType) else _item(kind, int(index or 0))
    return kind


def expected(kind: inspect.Type) -> str:
    """What a value of this type looks like.

    >>> expected(type_at("$.policy.floor")), expected(type_at("$.reward.range"))
    ('a number from 0 to 1', 'a list of 2 numbers')
    >>> expected(type_at("$.actions"))
    'a whole number from 1 to 1000 or a list of 1 to 1000 texts or a section with `low` and `high`'
    """
    kind = plain(kind)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(expected(option) for option in kind.types)
    if isinstance(kind, inspect.FloatType | inspect.IntType):
        return _number(kind)
    return _text(kind) if isinstance(kind, inspect.StrType) else _other(kind)


def found(value: object) -> str:
    """What stands there instead."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}` (put quotes around a word that is meant as a text)"
        case str():
            return f"the text `{value[:60]}`"
        case int() | float():
            return f"`{str(value)[:40]}`"
        case list() | tuple():
            return f"a list of {len(value)}"
    return "a section" if isinstance(value, dict) else type(value).__name__


def listed(words: Iterable[object]) -> str:
    """
    >>> listed(["dr", "ips"])
    '`dr`, `ips`'
    """
    return ", ".join(f"`{word}`" for word in words)


def _number(kind: inspect.FloatType | inspect.IntType) -> str:
    noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    low = f"from {kind.ge:g}" if kind.ge is not None else f"above {kind.gt:g}" if kind.gt is not None else ""
    high = f"to {kind.le:g}" if kind.le is not None else f"below {kind.lt:g}" if kind.lt is not None else ""
    joint = " and " if high.startswith("below") else " "
    return f"{noun} {low}{joint}{high}"


def _text(kind: inspect.StrType) -> str:
    if kind.pattern == METRIC_NAME:
        return "1 to 63 letters, digits, `-`, `_` and `.`, the first no sign"
    if kind.pattern is not None:
        return "1 to 63 lower-case letters, digits, `-` and `_`, the first no sign"
    return "a text" if kind.max_length is None else f"a text of {kind.min_length} to {kind.max_length} characters"


def _other(kind: inspect.Type) -> str:
    match kind:
        case inspect.LiteralType(values=words):
            return "one of " + listed(words)
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)} numbers"
        case inspect.VarTupleType(item_type=item, min_length=low, max_length=high):
            size = "" if high is None else f"{low or 0} to {high} "
            return f"a list of {size}{_several(plain(item))}"
        case inspect.CustomType() | inspect.DateTimeType():
            return A_DURATION if isinstance(kind, inspect.CustomType) else "an instant such as `2026-11-22T08:00:00Z`"
        case inspect.StructType():
            return "a section with " + " and ".join(f"`{key}`" for key, field in fields(kind).items() if field.required)
    return "a section"


def _member(kind: inspect.Type) -> inspect.Type:
    """Of a union, the section in it, whose key is looked for."""
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return next((plain(option) for option in options if isinstance(plain(option), inspect.StructType)), kind)


def _several(item: inspect.Type) -> str:
    if isinstance(item, inspect.StructType):
        return f"sections with keys such as `{next(iter(fields(item)))}`"
    if isinstance(item, inspect.VarTupleType):
        return f"lists of {item.min_length} to {item.max_length} {_several(plain(item.item_type))}"
    return "texts" if isinstance(item, inspect.StrType) else "numbers"


def _item(kind: inspect.Type, index: int) -> inspect.Type:
    """The type of an element; of a union, the member that has any."""
    kind = plain(kind)
    for option in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(option, inspect.VarTupleType):
            return plain(option.item_type)
        if isinstance(option, inspect.TupleType):
            return plain(option.item_types[index])
    return kind
