"""A policy's directory: `policy.json` names the engine and the SHA-256 of every other file. Knows nothing of any engine.

Plain files; that they are on the disk, and that a directory appears whole or not at all, is its owner's business (it syncs
and renames it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import msgspec

from rewardloop.errors import CorruptModel
from rewardloop.scratch import Scratch

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


class Saving(Protocol):
    """What a policy can do that is a part of another."""

    def save(self, directory: Path) -> None: ...


def pack_model(directory: Path, engine: str, parts: Mapping[str, Saving], files: Mapping[str, bytes]) -> None:
    """A policy made of others: the files of part `p` become `p.…` beside its own, so that a model is one flat directory."""
    packed = dict(files)
    for part, policy in parts.items():
        with Scratch() as place:
            policy.save(place)
            packed |= {f"{part}.{path.name}": path.read_bytes() for path in sorted(place.iterdir())}
    write_model(directory, engine, packed)


@contextmanager
def unpack_model(
    directory: Path, engine: str, parts: tuple[str, ...], names: tuple[str, ...]
) -> Iterator[tuple[dict[str, Path], list[bytes]]]:
    """A directory for each part, good inside the `with`, and the contents of `names`. Raises `CorruptModel`."""
    found = read_model(directory, engine, names)
    with Scratch() as scratch:
        places = {part: scratch / part for part in parts}
        for part, place in places.items():
            place.mkdir()
            packed = [name for name in read_header(directory).files if name.startswith(f"{part}.") and "/" not in name]
            for name, content in zip(packed, read_model(directory, engine, tuple(packed)), strict=True):
                (place / name.removeprefix(f"{part}.")).write_bytes(content)
        yield places, found


def _read(path: Path, digest: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorruptModel(f"Expected a file: {error.strerror}", at=str(path)) from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise CorruptModel(f"Expected SHA-256 `{digest}`, got `{found}`", at=str(path))
    return content
