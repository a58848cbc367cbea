"""A worker that dies while a challenger is on trial is counted against it: a model may kill what it runs in. Decides nothing."""

from __future__ import annotations

import logging
from pathlib import Path

from rewardloop.errors import RewardloopError
from rewardloop.loop.trials.files import TrialFile
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.pointer import read_hosted

_logger = logging.getLogger(__name__)


class Deaths:
    """Of the workers of one server, in the trial files of the experiments that have a challenger."""

    def __init__(self, data_directory: Path, name: str) -> None:
        self._directory = DataDirectory(data_directory)
        self._name = name
        self._files: dict[str, TrialFile] = {}

    def count(self) -> None:
        """One more. Where it cannot be written it is only logged: the worker must be replaced whatever happens here."""
        for path in sorted(self._directory.experiments.glob("*/hosted.json")):
            try:
                self._count(path.parent.name)
            except RewardloopError as error:
                _logger.error("%s", error)

    def _count(self, experiment: str) -> None:
        directory = self._directory.experiment(experiment)
        pointed = read_hosted(directory.hosted)
        if pointed is not None and pointed.challenger is not None:
            file = self._files.setdefault(experiment, TrialFile(directory.trial, self._name))
            file.begin(pointed.challenger.trial).died += 1
            file.save()
