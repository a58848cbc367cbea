"""The hosted model in memory: from its id to a model that may be served, and following the pointer to the next one."""

from __future__ import annotations

import logging
from pathlib import Path

from rewardloop.clock import Clock
from rewardloop.errors import RewardloopError
from rewardloop.loop.deciding import Hosted, first_model
from rewardloop.loop.probing import probe
from rewardloop.policies import load_policy
from rewardloop.registry.hosting import HostedWatch
from rewardloop.registry.layout import ExperimentDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.settings import ExperimentSettings

POLL = 20_000
"""Microseconds between two looks at the pointer."""

_logger = logging.getLogger(__name__)


def load_model(settings: ExperimentSettings, models: Path, model_id: str) -> Hosted:
    """Verified, loaded and probed. Raises `UnknownModel`, or `CorruptModel` where files or answers are not the manifest's."""
    first = first_model(settings)
    if model_id == first.model_id:
        return first
    record, directory = ModelStore(models).open(model_id)
    policy = load_policy(directory)
    probe(policy, record)
    return Hosted(model_id, policy, record.settings.policy.floor)


class Following:
    """`current()` is the model to decide with in this process; at most every 20 ms it looks whether another one is hosted.

    A model that cannot be loaded or fails its probe is refused, and the one in memory stays.
    """

    def __init__(self, settings: ExperimentSettings, directory: ExperimentDirectory, clock: Clock) -> None:
        self._settings = settings
        self._models = directory.models
        self._watch = HostedWatch(directory.hosted)
        self._clock = clock
        self._looked_at = 0
        self._hosted = first_model(settings)

    def current(self) -> Hosted:
        now = self._clock.now()
        if now - self._looked_at >= POLL:
            self._looked_at = now
            self._follow()
        return self._hosted

    def _follow(self) -> None:
        pointed = self._watch.changed()
        if pointed is None or pointed.model_id == self._hosted.model_id:
            return
        try:
            self._hosted = load_model(self._settings, self._models, pointed.model_id)
        except RewardloopError as error:
            _logger.error("model refused, %s stays hosted: %s", self._hosted.model_id, error)
