"""The hosted models in memory: from their ids to what may be served, and following the pointer to the next ones."""

from __future__ import annotations

import logging
from pathlib import Path

from rewardloop.clock import SECOND, Clock
from rewardloop.deciding.hosted import Hosted, first_model
from rewardloop.deciding.trials import Scorer, Trial
from rewardloop.errors import RewardloopError
from rewardloop.loop.probing import probe
from rewardloop.loop.trials.files import TrialFile
from rewardloop.policies import load_policy
from rewardloop.policies.exposure import Exposure
from rewardloop.registry import pointer
from rewardloop.registry.layout import ExperimentDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.registry.pointer import HostedWatch
from rewardloop.settings import ExperimentSettings

POLL = 20_000
"""Microseconds between two looks at the pointer."""
SAVE = SECOND // 2
"""Microseconds between two writes of what a trial counted."""

_logger = logging.getLogger(__name__)


def load_model(settings: ExperimentSettings, models: Path, model_id: str) -> Hosted:
    """Verified, loaded and probed. Raises `UnknownModel`, or `CorruptModel` where files or answers are not the manifest's."""
    first = first_model(settings)
    if model_id == first.model_id:
        return first
    record, directory = ModelStore(models).open(model_id)
    policy = load_policy(directory)
    probe(policy, record)
    settings = record.settings
    return Hosted(model_id, policy, settings.policy.floor, draws=settings.draws, exposure=Exposure.of(settings))


class Loading:
    """From what the pointer says to the models in memory, for one process."""

    def __init__(self, settings: ExperimentSettings, directory: ExperimentDirectory, clock: Clock, name: str) -> None:
        self.file = TrialFile(directory.trial, name)
        self._settings = settings
        self._models = directory.models
        self._clock = clock

    def adopt(self, settings: ExperimentSettings) -> None:
        """New settings of the same experiment: those of its first model."""
        self._settings = settings

    def is_news(self, pointed: pointer.Hosted, hosted: Hosted) -> bool:
        """Whether the pointer says another thing than what is in memory."""
        return pointed.model_id != hosted.model_id or pointed.challenger != (hosted.trial.setup if hosted.trial else None)

    def load(self, pointed: pointer.Hosted, hosted: Hosted) -> Hosted:
        """Keeps what is in memory already. Raises where the champion is refused; a challenger's fault only ends its trial."""
        if pointed.model_id != hosted.model_id:
            hosted = load_model(self._settings, self._models, pointed.model_id)
        return hosted._replace(trial=self._trial(pointed.challenger, hosted.trial))

    def _trial(self, setup: pointer.Challenger | None, before: Trial | None) -> Trial | None:
        if setup is None:
            return None
        counts = self.file.begin(setup.trial)
        if before is not None and before.setup.model_id == setup.model_id:
            challenger = before.challenger
        else:
            try:
                model = load_model(self._settings, self._models, setup.model_id)
                challenger = Scorer(model.model_id, model.policy, model.floor, model.draws, model.exposure)
            except Exception as error:  # Whatever is wrong with a model on trial, the champion serves.
                counts.refused += 1
                _logger.error("experiment=%s challenger refused: %s", self._settings.experiment, error)
                return None
        return Trial(self._settings.experiment, setup, challenger, counts, self._clock)


class Following:
    """`current()` is the model to decide with in this process; at most every 20 ms it looks whether another one is hosted.

    A model that cannot be loaded or fails its probe is refused, and the one in memory stays. `name` must differ between processes.
    """

    def __init__(self, settings: ExperimentSettings, directory: ExperimentDirectory, clock: Clock, name: str) -> None:
        self._loading = Loading(settings, directory, clock, name)
        self._watch = HostedWatch(directory.hosted)
        self._clock = clock
        self._looked_at = 0
        self._saved_at = 0
        self._hosted = first_model(settings)

    def current(self) -> Hosted:
        now = self._clock.now()
        if now - self._looked_at >= POLL:
            self._looked_at = now
            self._follow()
            if now - self._saved_at >= SAVE:
                self._saved_at = now
                self.save()
        return self._hosted

    def save(self) -> None:
        """Writes what was counted of a trial; where that cannot be written, it is not worth a decision."""
        try:
            self._loading.file.save()
        except RewardloopError as error:
            _logger.error("%s", error)

    def _follow(self) -> None:
        pointed = self._watch.changed()
        if pointed is None or not self._loading.is_news(pointed, self._hosted):
            return
        try:
            self._hosted = self._loading.load(pointed, self._hosted)
        except RewardloopError as error:
            _logger.error("model refused, %s stays hosted: %s", self._hosted.model_id, error)
