"""A model as one file, and back: a zip of its manifest and its plain files, checked name by name and hash by hash. No pickle."""

from __future__ import annotations

import hashlib
import hmac
import io
import zipfile
from pathlib import Path

from rewardloop.errors import CorruptModel, InvalidInput
from rewardloop.registry.models import MANIFEST
from rewardloop.registry.records import ModelRecord, record_from_json, record_to_json

MAX_BYTES = 64 << 20
MAX_UNPACKED = 512 << 20
SIGNATURE = "signature"

_SAME_DATE = (1980, 1, 1, 0, 0, 0)


def pack(record: ModelRecord, directory: Path, key: int | None = None) -> bytes:
    """The archive of a model that was opened and verified; signed where a key is given. The same model, the same bytes."""
    members = {MANIFEST: record_to_json(record), **{name: (directory / name).read_bytes() for name in sorted(record.files)}}
    if key is not None:
        members[SIGNATURE] = _signature(members, key)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _SAME_DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unpack(raw: bytes, into: Path, key: int) -> ModelRecord:
    """Writes the files into an empty directory and returns the manifest. Raises `InvalidInput` for anything but such an archive.

    A signature, where there is one, must be of this key; without one the hashes alone are checked.
    """
    members = _members(raw)
    signature = members.pop(SIGNATURE, None)
    if signature is not None and not hmac.compare_digest(signature, _signature(members, key)):
        raise InvalidInput("The signature is of another data directory, or the archive was changed: export it with signed=false")
    record = _record(members)
    for name in record.files:
        (into / name).write_bytes(members[name])
    return record


def _members(raw: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            infos = archive.infolist()
            _check_names([info.filename for info in infos], sum(info.file_size for info in infos))
            return {info.filename: _content(archive, info) for info in infos}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise InvalidInput(f"Expected a model that GET /model answered, got something else: {error}") from None


def _check_names(names: list[str], unpacked: int) -> None:
    if len(set(names)) != len(names) or any(name != Path(name).name or name in ("", ".", "..") for name in names):
        raise InvalidInput("Expected an archive of plain files, each once")
    if unpacked > MAX_UNPACKED:
        raise InvalidInput(f"Expected a model of at most {MAX_UNPACKED >> 20} MiB, got {unpacked >> 20}")


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """No more than the directory of the archive said, whatever unpacking would give."""
    with archive.open(info) as file:
        return file.read(info.file_size + 1)


def _record(members: dict[str, bytes]) -> ModelRecord:
    if MANIFEST not in members:
        raise InvalidInput(f"Expected a model that GET /model answered, got an archive without `{MANIFEST}`")
    record = record_from_json(members[MANIFEST])
    if {*record.files, MANIFEST} != set(members):
        raise InvalidInput("Expected the files that the manifest names, got others")
    for name, digest in record.files.items():
        if hashlib.sha256(members[name]).hexdigest() != digest:
            raise CorruptModel(f"`{name}` of the archive is not the file that its manifest names")
    return record


def _signature(members: dict[str, bytes], key: int) -> bytes:
    told = b"".join(name.encode() + b"\0" + hashlib.sha256(content).digest() for name, content in sorted(members.items()))
    return hmac.new(key.to_bytes(16, "big", signed=key < 0), told, hashlib.sha256).hexdigest().encode()
