"""Reads the settings of an experiment: a file, a text, or a mapping that somebody has parsed already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath

import msgspec

from rewardloop.errors import InvalidSettings
from rewardloop.settings.document import MAX_BYTES, Document, read_document
from rewardloop.settings.legacy import is_legacy, translate
from rewardloop.settings.mapping import settings_of, to_mapping
from rewardloop.settings.schema import ExperimentSettings


class LoadedSettings(msgspec.Struct, frozen=True):
    """What a file says, and the names of its keys that do nothing here (AWS resources of a 2019 file)."""

    settings: ExperimentSettings
    ignored: tuple[str, ...] = ()


def load_settings(path: Path, *, name: str | None = None) -> LoadedSettings:
    """Settings from a YAML file, native or of 2019; raises `InvalidSettings`.

    `name` is the experiment's name whatever the file says; without either, the file's own name is.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidSettings(f"Expected a file of settings at {path}, got: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise InvalidSettings(f"Expected settings of at most {MAX_BYTES} bytes, got a larger file at {path}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"Expected UTF-8, got byte 0x{raw[error.start]:02x} at offset {error.start} of {path.name}") from None
    return parse_settings(text, path.name, name=name)


def parse_settings(text: str, source: str, *, name: str | None = None) -> LoadedSettings:
    """Settings from a YAML text; `source` names it in errors.

    >>> parse_settings("actions: 3", "offers.yaml").settings.experiment
    'offers'
    >>> parse_settings("policy: {exploration: epsilom}", "offers.yaml")
    Traceback (most recent call last):
    rewardloop.errors.InvalidSettings: Unknown exploration policy `epsilom` at `$.policy.exploration` (line 1 of offers.yaml);
    expected one of ...; did you mean `egreedy`?
    """
    return _load(read_document(text, source), name)


def settings_from_mapping(mapping: Mapping[str, object], *, source: str = "", name: str | None = None) -> LoadedSettings:
    """Settings from plain values, such as a YAML file that is already parsed.

    >>> settings_from_mapping({"experiment": "offers", "actions": ["a", "b"]}).settings.action_ids
    ('a', 'b')
    """
    if not isinstance(mapping, Mapping) or not all(isinstance(key, str) for key in mapping):
        raise InvalidSettings("Expected a mapping with keys that are texts")
    return _load(Document(dict(mapping), source), name)


def checked(settings: ExperimentSettings) -> ExperimentSettings:
    """The same settings, held against every bound: for those that were built in Python; raises `InvalidSettings`."""
    return settings_of(Document(to_mapping(settings), ""))


def _load(document: Document, name: str | None) -> LoadedSettings:
    ignored: tuple[str, ...] = ()
    if is_legacy(document.tree):
        document, ignored = translate(document)
    known_as = name if name is not None else document.tree.get("experiment", _stem(document.source))
    if known_as is not None:
        document.tree["experiment"] = known_as
    return LoadedSettings(settings_of(document), ignored)


def _stem(source: str) -> str | None:
    """A file's name as an experiment's, or None where nothing is left of it."""
    return re.sub(r"[^a-z0-9_-]+", "-", PurePath(source).stem.lower()).strip("-_")[:63] or None
