"""Plain values → ExperimentSettings, and back. Every refusal names the place, what was expected, what was found."""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec
from msgspec import inspect

from rewardloop.errors import InvalidSettings
from rewardloop.settings.checks import problems
from rewardloop.settings.document import Document
from rewardloop.settings.durations import read_hook, write_hook
from rewardloop.settings.expected import expected, fields, found, listed, plain, root, type_at
from rewardloop.settings.schema import ExperimentSettings
from rewardloop.settings.suggest import nearest_key, nearest_word, noun

LEGACY_KEYS = ("resource", "image", "algor", "local_mode", "soft_deployment")
_MISSING = re.compile(r"missing required field `(\w+)`")
_PATH = re.compile(r" - at `(\$[^`]*)`$")


def settings_of(document: Document) -> ExperimentSettings:
    """The settings a document spells; raises `InvalidSettings`."""
    tree = _known_keys(document, root(), document.tree, "$")
    if "experiment" not in tree:
        raise document.refuse("Expected the key `experiment`, the name of the experiment,", "$")
    try:
        settings = msgspec.convert(tree, ExperimentSettings, dec_hook=read_hook)
    except msgspec.ValidationError as error:
        _explain(document, tree, str(error))
    for path, sentence in problems(settings):
        raise document.refuse(f"{sentence} -", path)
    return settings


def to_mapping(settings: ExperimentSettings) -> dict[str, object]:
    """Plain values that `settings_of` reads back to equal settings."""
    mapping: dict[str, object] = msgspec.to_builtins(settings, enc_hook=write_hook)
    return mapping


def settings_to_json(settings: ExperimentSettings) -> bytes:
    """For stores. Durations are written as text, so that no reader can mistake their unit.

    >>> b'"window":"1h"' in settings_to_json(ExperimentSettings(experiment="offers"))
    True
    """
    return msgspec.json.encode(settings, enc_hook=write_hook)


def settings_from_json(raw: bytes | str) -> ExperimentSettings:
    """Reads what `settings_to_json` wrote; raises `InvalidSettings`."""
    try:
        return msgspec.json.decode(raw, type=ExperimentSettings, dec_hook=read_hook)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidSettings(f"Expected stored settings, got something else: {error}") from None


def _known_keys(document: Document, section: inspect.StructType, tree: dict[str, object], path: str) -> dict[str, object]:
    """The tree without its empty sections (`policy:` with nothing under it); raises for a key that no section has."""
    known = fields(section)
    kept: dict[str, object] = {}
    for key, value in tree.items():
        if key not in known:
            _unknown_key(document, str(key), list(known), path)
        kind = plain(known[key].type)
        if isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
            kept[key] = _known_items(document, kind.item_type, value, f"{path}.{key}")
        elif not isinstance(kind, inspect.StructType):
            kept[key] = value
        elif isinstance(value, dict):
            kept[key] = _known_keys(document, kind, value, f"{path}.{key}")
        elif value is not None:
            raise document.refuse(
                f"Expected a section with keys such as `{next(iter(fields(kind)))}`, got {found(value)}", f"{path}.{key}"
            )
    return kept


def _known_items(document: Document, item: inspect.Type, values: list[object], path: str) -> list[object]:
    kind = plain(item)
    if not isinstance(kind, inspect.StructType):
        return values
    return [
        _known_keys(document, kind, value, f"{path}[{i}]") if isinstance(value, dict) else value for i, value in enumerate(values)
    ]


def _unknown_key(document: Document, key: str, known: list[str], path: str) -> NoReturn:
    words = [*known, *LEGACY_KEYS] if path == "$" else known
    hint = nearest_key(key, words, path[2:]) or f"; expected one of {listed(known)}"
    raise document.refuse(f"Unknown key `{key[:80]}`", f"{path}.{key[:80]}", hint)


def _explain(document: Document, tree: dict[str, object], message: str) -> NoReturn:
    match = _PATH.search(message)
    path = match[1] if match else "$"
    value: object = tree
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        value = value[key or int(index)]  # type: ignore[index]
    kind = plain(type_at(path))
    if path.endswith("]") and (missing := _MISSING.search(message)):
        raise document.refuse(f"Expected the key `{missing[1]}`", path) from None
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    words = [str(word) for option in options if isinstance(option, inspect.LiteralType) for word in option.values]
    if words and isinstance(value, str):
        key = path[path.rfind(".") + 1 :]
        hint = f"; expected one of {listed(words)}{nearest_word(key, value, words)}"
        raise document.refuse(f"Unknown {noun(key)} `{value[:80]}`", path, hint) from None
    raise document.refuse(f"Expected {expected(kind)}, got {found(value)}", path) from None
