"""A Vowpal Wabbit policy's file beside the weights: settings, seed, statistics. JSON."""

from __future__ import annotations

from typing import Self

import msgspec

from rewardloop.errors import CorruptModel
from rewardloop.policies.vw.statistics import StatisticsState
from rewardloop.settings import ExperimentSettings, settings_from_json, settings_to_json


class VowpalState(msgspec.Struct, frozen=True):
    settings: msgspec.Raw
    seed: int
    statistics: StatisticsState

    @classmethod
    def of(cls, settings: ExperimentSettings, seed: int, statistics: StatisticsState) -> Self:
        return cls(msgspec.Raw(settings_to_json(settings)), seed, statistics)

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decoded(cls, raw: bytes, at: str) -> Self:
        """Raises `CorruptModel`."""
        try:
            return msgspec.json.decode(raw, type=cls)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise CorruptModel(f"Expected the state of a Vowpal Wabbit policy: {error}", at=at) from None

    def experiment_settings(self) -> ExperimentSettings:
        """Raises `InvalidSettings`."""
        return settings_from_json(bytes(self.settings))
