"""The hosted model in memory: follows the pointer, probes before it swaps, and keeps the old model when the new one fails."""

from __future__ import annotations

import logging
from pathlib import Path

from rewardloop.clock import Clock
from rewardloop.errors import RewardloopError
from rewardloop.loop.deciding import Hosted, first_model_id
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.probing import probe
from rewardloop.registry.hosting import HostedWatch

POLL = 20_000
"""Microseconds between two looks at the pointer."""

_log = logging.getLogger(__name__)


class Hosting:
    """`current()` is the model to decide with; at most every 20 ms it looks whether another one is hosted."""

    def __init__(self, modelling: Modelling, pointer: Path, clock: Clock) -> None:
        self._modelling = modelling
        self._watch = HostedWatch(pointer)
        self._clock = clock
        self._looked_at = 0
        self._hosted = self._load(first_model_id(modelling.settings.experiment))

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
            self._hosted = self._load(pointed.model_id)
        except RewardloopError as error:
            _log.error("model refused, %s stays hosted: %s", self._hosted.model_id, error)

    def _load(self, model_id: str) -> Hosted:
        policy = self._modelling.load(model_id)
        if model_id != first_model_id(self._modelling.settings.experiment):
            probe(policy, self._modelling.catalog.model(model_id))
        return Hosted(model_id, policy, self._modelling.floor(model_id))
