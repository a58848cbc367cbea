"""A policy's directory: `policy.json` names the engine and the SHA-256 of every other file. Knows nothing of any engine.

Plain files; that they are on the disk, and that a directory appears whole or not at all, is its owner's business (it syncs
and renames it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from rewardloop.errors import CorruptModel

HEADER: Final = "policy.json"
_MAX_HEADER = 64_000_000


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every engine's `policy.json` holds."""

    engine: str
    format: int
    files: dict[str, str]
    """File name → SHA-256."""


def write_model(directory: Path, engine: str, files: Mapping[str, bytes]) -> None:
    """Writes the files and, last, the header that vouches for them."""
    for name, content in files.items():
        (directory / name).write_bytes(content)
    header = Header(engine, 1, files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
    (directory / HEADER).write_bytes(msgspec.json.encode(header))


def read_header(directory: Path) -> Header:
    """Raises `CorruptModel` where `policy.json` is missing, too large or not what `write_model` writes."""
    path = directory / HEADER
    try:
        if path.stat().st_size > _MAX_HEADER:
            raise CorruptModel(f"Expected at most {_MAX_HEADER} bytes, got more", at=str(path))
        return msgspec.json.decode(path.read_bytes(), type=Header)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CorruptModel(f"Expected the header of a policy: {error}", at=str(path)) from None


def read_model(directory: Path, engine: str, names: tuple[str, ...]) -> list[bytes]:
    """The contents of the named files; raises `CorruptModel` where one is missing or not the one that was written."""
    header = read_header(directory)
    if (header.engine, header.format) != (engine, 1):
        found = f"`{header.engine}`, format {header.format}"
        raise CorruptModel(f"Expected engine `{engine}`, format 1, got {found}", at=str(directory / HEADER))
    return [_read(directory / name, header.files.get(name)) for name in names]


def _read(path: Path, digest: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorruptModel(f"Expected a file: {error.strerror}", at=str(path)) from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise CorruptModel(f"Expected SHA-256 `{digest}`, got `{found}`", at=str(path))
    return content
