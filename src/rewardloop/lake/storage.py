"""The lake's directory under its one writer: what is in it, changing it atomically, and clearing away what no manifest names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from msgspec.structs import replace

from rewardloop.durable import TEMPORARY
from rewardloop.errors import StorageUnavailable
from rewardloop.lake import merging
from rewardloop.lake.keys import index_name, write_index
from rewardloop.lake.manifest import FILE, INDEXED, KEPT_COMMITS, Kind, Manifest, Part, Retired, read_manifest, write_manifest
from rewardloop.lake.parts import write_part

SPILL = "tmp"
UNFINISHED = TEMPORARY.format(FILE)


class Storage:
    """Reading needs no lock and sees whole commits. Writing is for one process at a time: the caller sees to that."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._seen: tuple[int, int, int] | None = None
        self._manifest = Manifest()
        self._swept = False

    @property
    def manifest(self) -> Manifest:
        """As of the last commit, whoever made it."""
        seen = self._signature()
        if seen != self._seen:
            self._manifest, self._seen = read_manifest(self.directory), seen
        return self._manifest

    def begin(self) -> Manifest:
        """The manifest to change. The first time, clears away what a killed writer left."""
        manifest = self.manifest
        if not self._swept:
            self._sweep(manifest)
            self._swept = True
        return manifest

    def commit(self, manifest: Manifest) -> None:
        """All of it or nothing, durable when it returns. Raises `StorageUnavailable`."""
        manifest = self._forget(self._merge(replace(manifest, commits=manifest.commits + 1)))
        write_manifest(self.directory, manifest)
        self._manifest, self._seen = manifest, self._signature()

    def add(self, manifest: Manifest, kind: Kind, tables: Iterable[pa.Table]) -> Manifest:
        """Write the tables as a new part; the manifest returned names it, once it is committed."""
        filled = [table for table in tables if table.num_rows]
        if not filled:
            return manifest
        before = manifest.of(kind)
        first = before[-1].first_seq + before[-1].rows if kind == "wholes" and before else 0
        first_seq = manifest.next_seq if kind == "decisions" else first
        part = write_part(self.directory, kind, manifest.serial, filled, first_seq=first_seq)
        grown = replace(manifest, serial=manifest.serial + 1, parts=(*manifest.parts, part))
        if kind in INDEXED:
            write_index(self.directory, part)
        return replace(grown, next_seq=manifest.next_seq + part.rows) if kind == "decisions" else grown

    def _merge(self, manifest: Manifest) -> Manifest:
        for kind in ("decisions", "rewards", "activations", "unmatched", "labels", "metrics", "wholes"):
            while len(run := merging.due(manifest.of(kind))) > 1:
                merged = merging.merge(self.directory, kind, run, manifest.serial)
                first = manifest.parts.index(run[0])
                kept = [part for part in manifest.parts if part not in run]
                parts = (*kept[:first], merged, *kept[first:])
                manifest = retire(replace(manifest, serial=manifest.serial + 1), run, parts)
        return manifest

    def _forget(self, manifest: Manifest) -> Manifest:
        """Delete files that were retired long enough ago for every reader to have finished."""
        kept = tuple(file for file in manifest.retired if file.commit > manifest.commits - KEPT_COMMITS)
        for file in set(manifest.retired) - set(kept):
            (self.directory / file.name).unlink(missing_ok=True)
        return replace(manifest, retired=kept)

    def sweep(self) -> None:
        """Removes every file that the last commit does not name, those of readers that still look at an older one included."""
        self._sweep(self.manifest)

    def _sweep(self, manifest: Manifest) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.directory / SPILL, ignore_errors=True)
            named = {FILE, *(file.name for file in manifest.retired), *(name for part in manifest.parts for name in files(part))}
            for path in self.directory.iterdir():
                if path.name not in named and (path.suffix in {".parquet", ".keys"} or path.name.startswith(UNFINISHED)):
                    path.unlink()
        except OSError as error:
            raise StorageUnavailable(f"The lake cannot be written: {error.strerror}", at=str(self.directory)) from error

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            stat = os.stat(self.directory / FILE)
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


def retire(manifest: Manifest, dropped: Iterable[Part], parts: tuple[Part, ...]) -> Manifest:
    """The manifest with other parts; the files of those dropped go later."""
    names = tuple(Retired(name, manifest.commits) for part in dropped for name in files(part))
    return replace(manifest, parts=parts, retired=manifest.retired + names)


def files(part: Part) -> tuple[str, ...]:
    return (part.name, index_name(part)) if part.kind in INDEXED else (part.name,)
