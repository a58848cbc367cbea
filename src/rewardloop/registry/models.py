"""The files of one experiment's models: each in a folder of its own, immutable, verified by hash, whole or absent."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from rewardloop.durable import storage, sync
from rewardloop.errors import Conflict, CorruptModel, InvalidInput, UnknownModel, did_you_mean
from rewardloop.registry.names import is_model_id, model_name
from rewardloop.registry.records import ModelRecord, record_from_json, record_to_json
from rewardloop.registry.staging import Staging

MANIFEST = "model.json"
_MAX_MANIFEST = 64 << 20


class ModelStore:
    """Models under one directory. Write into `stage()`, then `commit`; a stage that is never committed is swept away.

    Processes may share the directory; within one, a store has one stage at a time.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._staging = Staging(directory)

    def path(self, model_id: str) -> Path:
        """Where a model's files are, or would be; raises `UnknownModel` for what is no model id."""
        model_name(model_id)
        return self._directory / model_id

    def exists(self, model_id: str) -> bool:
        return (self.path(model_id) / MANIFEST).is_file()

    def ids(self) -> list[str]:
        """Ids of all models with files here, oldest number first."""
        with storage(self._directory), suppress(FileNotFoundError):
            found = [name for name in os.listdir(self._directory) if is_model_id(name) and self.exists(name)]
            return sorted(found, key=model_name)
        return []

    def stage(self) -> Path:
        """A new empty directory to write a model into. Gives up the store's former stage if that was not committed."""
        return self._staging.new()

    def discard(self) -> None:
        """Removes the stage, if there is one."""
        self._staging.discard()

    def commit(self, stage: Path, record: ModelRecord, *, durable: bool = True) -> ModelRecord:
        """Makes the staged files the model of this record, and returns the record with their hashes.

        On disk and visible at once when this returns (`durable` False: visible; after a power cut it may be damaged). Raises
        `Conflict` if the model exists intact; a damaged one is replaced.
        """
        target = self.path(record.model_id)
        with storage(stage):
            complete = msgspec.structs.replace(record, files=_hashes(stage))
            (stage / MANIFEST).write_bytes(record_to_json(complete))
            if durable:
                for path in (*(stage / name for name in complete.files), stage / MANIFEST, stage):
                    sync(path)
            self._make_room(target)
            stage.rename(target)
            if durable:
                sync(self._directory)
        self._staging.release(stage)
        return complete

    def open(self, model_id: str) -> tuple[ModelRecord, Path]:
        """A model's manifest and directory, every file verified; raises `UnknownModel` or `CorruptModel`."""
        path = self.path(model_id)
        with storage(path):
            record = self._manifest(model_id)
            for name, digest in record.files.items():
                if _hash(path / name) != digest:
                    raise CorruptModel(_damaged(path / name, "is missing or not the file that was written", model_id))
        return record, path

    def prune(self, keep: set[str], before: int) -> tuple[str, ...]:
        """Removes models made before an instant (microseconds UTC), but those to keep; returns their ids."""
        doomed = [model_id for model_id in self.ids() if model_id not in keep and self._made_before(model_id, before)]
        with storage(self._directory):
            for model_id in doomed:
                self._staging.throw_away(self.path(model_id))
            self._staging.sweep()
        return tuple(doomed)

    def _absent(self, model_id: str) -> str:
        ids = self.ids()
        if is_model_id(model_id) and any(model_name(model_id) < model_name(later) for later in ids):
            return f"`{model_id}` is no longer kept; make it again from the log with `rewardloop train --rebuild {model_id}`"
        return f"Unknown model `{model_id}`{did_you_mean(model_id, ids)}"

    def _manifest(self, model_id: str) -> ModelRecord:
        path = self.path(model_id) / MANIFEST
        try:
            with path.open("rb") as file:
                raw = file.read(_MAX_MANIFEST)
        except (FileNotFoundError, NotADirectoryError):
            if path.parent.is_dir():
                raise CorruptModel(_damaged(path, "is missing", model_id)) from None
            raise UnknownModel(self._absent(model_id)) from None
        try:
            record = record_from_json(raw)
        except InvalidInput as error:
            raise CorruptModel(_damaged(path, f"is not a manifest ({error})", model_id)) from None
        if record.model_id != model_id or any(name != Path(name).name or name in ("", ".", "..") for name in record.files):
            raise CorruptModel(_damaged(path, "is not this model's manifest", model_id))
        return record

    def _made_before(self, model_id: str, instant: int) -> bool:
        with suppress(CorruptModel, UnknownModel):
            return self._manifest(model_id).created_at < instant
        return False

    def _make_room(self, target: Path) -> None:
        if not target.exists():
            return
        with suppress(CorruptModel):
            self.open(target.name)
            raise Conflict(f"Model `{target.name}` exists and is intact; a model is never changed")
        self._staging.throw_away(target)


def _hashes(directory: Path) -> dict[str, str]:
    names = sorted(os.listdir(directory))
    hashes = {name: _hash(directory / name) for name in names if name != MANIFEST}
    for name, digest in hashes.items():
        if digest is None:
            raise InvalidInput(f"Expected a model of plain files, got `{name}`, which is none")
    return {name: digest for name, digest in hashes.items() if digest is not None}


def _hash(path: Path) -> str | None:
    """SHA-256 of a plain file, or None where there is none."""
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, what: str, model_id: str) -> str:
    return f"{path} {what}; make it again from the log with `rewardloop train --rebuild {model_id}`"
