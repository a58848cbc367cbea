"""The embedded log keeps the laws of a log; with the smallest segments too."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from rewardloop.log import EventReader, EventWriter, LogReader, LogWriter
from rewardloop.settings import LogSettings
from rewardloop.testing.log import LogContract


class EmbeddedLog:
    def __init__(self, directory: Path, settings: LogSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._names = count()

    def writer(self) -> EventWriter:
        return LogWriter(self._directory, self._settings, f"writer-{next(self._names)}")

    def reader(self) -> EventReader:
        return LogReader(self._directory)


class TestEmbeddedLog(LogContract):
    def make_log(self, tmp_path: Path) -> EmbeddedLog:
        return EmbeddedLog(tmp_path / "log", LogSettings())


class TestEmbeddedLogOnDisk(LogContract):
    def make_log(self, tmp_path: Path) -> EmbeddedLog:
        return EmbeddedLog(tmp_path / "log", LogSettings(durability="disk"))
