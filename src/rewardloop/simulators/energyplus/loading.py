"""A YAML text → Specification, refusing with place and nearest word. What no single type can say is in checks.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec
from msgspec import inspect

from rewardloop.errors import InvalidSettings, did_you_mean
from rewardloop.settings.document import MAX_BYTES, Document, read_document
from rewardloop.settings.expected import expected, fields, found, listed, plain
from rewardloop.settings.schema import Section
from rewardloop.simulators.energyplus.checks import problems
from rewardloop.simulators.energyplus.specification import Specification

S = TypeVar("S", bound=Section)
_PATH = re.compile(r" - at `(?:key in )?(\$[^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def load_specification(path: Path) -> Specification:
    """A specification from a file; the paths in it are from the file's own directory. Raises `InvalidSettings`."""
    try:
        raw = path.read_bytes()[: MAX_BYTES + 1]
        specification = parse_specification(raw.decode(), path.name)
    except OSError as error:
        raise InvalidSettings(f"Expected a file of an environment at {path}, got: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"Expected UTF-8 in {path}, got other bytes") from None
    return _rooted(specification, path.parent)


def parse_specification(text: str, source: str) -> Specification:
    """A specification from a YAML text; `source` names it in errors.

    >>> parse_specification("name: hall\\nbuildin: x", "hall.yaml")
    Traceback (most recent call last):
    rewardloop.errors.InvalidSettings: Unknown key `buildin` at `$.buildin` (line 2 of hall.yaml); did you mean `building`?
    """
    specification, document = read_as(text, source, Specification)
    for path, sentence in problems(specification):
        raise document.refuse(sentence, path)
    return specification


def read_as(text: str, source: str, section: type[S]) -> tuple[S, Document]:
    """A YAML text as a section, for kinds of specifications that share this one's words. Raises `InvalidSettings`."""
    document = read_document(text, source)
    kind = inspect.type_info(section)
    _known(document, kind, document.tree, "$")
    try:
        return msgspec.convert(document.tree, section), document
    except msgspec.ValidationError as error:
        _explain(document, kind, kind, str(error))


def _rooted(specification: Specification, directory: Path) -> Specification:
    def rooted(name: str) -> str:
        return str((directory / name).resolve()) if Path(name).suffix.lower() in (".epjson", ".idf", ".epw") else name

    weather = specification.weather
    return msgspec.structs.replace(
        specification,
        building=rooted(specification.building),
        weather=msgspec.structs.replace(weather, train=tuple(map(rooted, weather.train)), test=tuple(map(rooted, weather.test))),
    )


def _known(document: Document, kind: inspect.Type, value: object, path: str) -> None:
    """Raises for a key that its section does not have."""
    kind = plain(kind)
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        known = fields(kind)
        for key, item in value.items():
            if key not in known:
                hint = did_you_mean(key, known) or f"; expected one of {listed(known)}"
                raise document.refuse(f"Unknown key `{key[:80]}`", f"{path}.{key[:80]}", hint)
            _known(document, known[key].type, item, f"{path}.{key}")
    elif isinstance(kind, inspect.DictType) and isinstance(value, dict):
        for key, item in value.items():
            _known(document, kind.value_type, item, f"{path}.{key}")
    elif isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
        for index, item in enumerate(value):
            _known(document, kind.item_type, item, f"{path}[{index}]")


def _explain(document: Document, root: inspect.Type, kind: inspect.Type, message: str) -> NoReturn:
    match = _PATH.search(message)
    path = match[1] if match else "$"
    if "missing required field" in message:
        raise document.refuse(f"Expected the key {message.split('field ')[1].split(' - ', maxsplit=1)[0]}", path) from None
    value: object = document.tree
    for key, index in _STEP.findall(path):
        if index == "...":
            _explain_item(document, root, plain(kind), value, path.split("[...]")[0])
        kind, value = _inside(plain(kind), key, index), _item(value, key, index)
    raise document.refuse(f"Expected {expected(plain(kind))}, got {found(value)}", path) from None


def _explain_item(document: Document, root: inspect.Type, kind: inspect.Type, values: object, path: str) -> NoReturn:
    """msgspec says that some value of a mapping is wrong; this says which."""
    item = plain(kind.value_type) if isinstance(kind, inspect.DictType) else kind
    assert isinstance(item, inspect.StructType)
    assert isinstance(values, dict)
    for key, value in values.items():
        try:
            msgspec.convert(value, item.cls)
        except msgspec.ValidationError as error:
            message = str(error) if " - at `" in str(error) else f"{error} - at `$`"
            inner = message.replace(" - at `$", f" - at `{path}.{key}")
            _explain(document, root, root, inner)
    raise document.refuse("Expected something else", path)


def _item(value: object, key: str, index: str) -> object:
    if key:
        return value[key] if isinstance(value, dict) else value
    return value[int(index)] if isinstance(value, list) else value


def _inside(kind: inspect.Type, key: str, index: str) -> inspect.Type:
    match kind:
        case inspect.StructType():
            return fields(kind)[key].type
        case inspect.DictType():
            return kind.value_type
        case inspect.VarTupleType():
            return kind.item_type
        case inspect.TupleType():
            return kind.item_types[int(index)]
    return kind
