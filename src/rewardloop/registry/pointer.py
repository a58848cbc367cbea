"""The pointer file that says which model is hosted: written by whoever deploys, watched by every serving worker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from rewardloop.durable import replace_file, storage
from rewardloop.errors import Corrupt, UnknownModel
from rewardloop.registry.names import model_name

_MAX_BYTES = 1 << 16


_Share = Annotated[float, Meta(ge=0, le=1)]


class Challenger(msgspec.Struct, frozen=True, kw_only=True):
    """A model on trial beside the hosted one."""

    model_id: str
    trial: int
    """Names the trial, so that what an earlier one of the same model counted is not taken for its own."""
    share: _Share = 0.0
    """Of decisions that it makes; 0: it makes none, it scores."""
    scored: _Share = 1.0
    """Where it makes none: share of decisions that it scores."""
    sticky: str = ""
    """The feature whose value decides the variant; empty: each event draws."""


class Hosted(msgspec.Struct, frozen=True, kw_only=True):
    """What the pointer says. A field is only ever added with a default; a reader skips those it does not know."""

    model_id: str
    challenger: Challenger | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Hosted).decode


def write_hosted(path: Path, hosted: Hosted, *, durable: bool = True) -> None:
    """Points to a model. Atomic and durable; raises `StorageUnavailable`, and the old pointer then stands."""
    _check(hosted)
    with storage(path):
        replace_file(path, _encode(hosted), durable=durable)


def read_hosted(path: Path) -> Hosted | None:
    """The pointer, or None where nothing was ever deployed; raises `Corrupt`."""
    with storage(path):
        try:
            with path.open("rb") as file:
                raw = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return None
    try:
        hosted = _decode(raw)
        _check(hosted)
    except (msgspec.DecodeError, UnicodeError, UnknownModel) as error:
        raise Corrupt(f"{path} does not say which model is hosted ({error}); deploy a model to write it again") from None
    return hosted


def _check(hosted: Hosted) -> None:
    model_name(hosted.model_id)
    if hosted.challenger is not None:
        model_name(hosted.challenger.model_id)


class HostedWatch:
    """Tells once of each change of the pointer. A look costs one `stat`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = os.fspath(path)
        self._seen: tuple[int, int] | None = None

    def changed(self) -> Hosted | None:
        """The pointer if it has changed since the last call (the first call: if there is one), otherwise None.

        Raises `Corrupt` or `StorageUnavailable`, once a change.
        """
        try:
            now = os.stat(self._name)
        except FileNotFoundError:
            return None
        seen = (now.st_mtime_ns, now.st_ino)
        if seen == self._seen:
            return None
        self._seen = seen
        return read_hosted(self._path)
