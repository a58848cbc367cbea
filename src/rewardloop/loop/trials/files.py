"""What each serving process counts of a trial, in a small file of its own, so that the loop can add them up.

A process that is replaced leaves its file: what it saw still counts. Not synced: a power cut may cost a second of counting.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from rewardloop.deciding.trial_counts import TrialCounts
from rewardloop.durable import replace_file, storage

_decode = msgspec.json.Decoder(TrialCounts).decode


class TrialFile:
    """One process' counts. `name` must differ between processes, dead ones included."""

    def __init__(self, directory: Path, name: str) -> None:
        self.counts = TrialCounts()
        self._path = directory / f"{name}.json"
        self._written = msgspec.json.encode(self.counts)

    def begin(self, trial: int) -> TrialCounts:
        """The counts of a trial: those there are, or new ones where it is another."""
        if self.counts.trial != trial:
            self.counts = TrialCounts(trial)
        return self.counts

    def save(self) -> None:
        """Raises `StorageUnavailable`."""
        raw = msgspec.json.encode(self.counts)
        if raw != self._written:
            with storage(self._path):
                replace_file(self._path, raw, durable=False)
            self._written = raw


def trial_counts(directory: Path, trial: int) -> TrialCounts:
    """What all processes together counted of a trial."""
    total = TrialCounts(trial)
    for path in sorted(directory.glob("*.json")):
        found = _read(path)
        if found is not None and found.trial == trial:
            total = total.plus(found)
    return total


def sweep_trials(directory: Path, trial: int | None) -> None:
    """Removes the files of other trials than this."""
    with storage(directory):
        for path in directory.glob("*.json"):
            found = _read(path)
            if found is None or found.trial != trial:
                path.unlink(missing_ok=True)


def _read(path: Path) -> TrialCounts | None:
    try:
        return _decode(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None
