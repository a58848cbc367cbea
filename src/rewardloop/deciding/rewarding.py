"""One reward, or one activation: which experiment it belongs to, and whether its value may be. Writes nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from rewardloop.clock import Clock
from rewardloop.deciding.asking import EventId
from rewardloop.errors import InvalidInput, UnknownEvent, UnknownExperiment, did_you_mean
from rewardloop.events import MAX_EVENT_ID, MAX_METRICS, Activation, Metrics, Reward
from rewardloop.ids import EventIds
from rewardloop.json_values import MAX_MAGNITUDE
from rewardloop.settings import ExperimentSettings
from rewardloop.settings.schema import METRIC_NAME, MetricName

_NAME = re.compile(METRIC_NAME)


class RewardRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    event_id: EventId
    reward: float
    """Finite; higher is better."""
    reward_id: Annotated[str, Meta(max_length=MAX_EVENT_ID)] = ""
    """Idempotency key: the same key for the same event counts once."""
    final: bool = False
    """Closes the event: no later reward counts."""
    experiment: str | None = None
    """Needed only where the event id is the client's own."""
    slot: Annotated[str, Meta(max_length=MAX_EVENT_ID)] = ""
    """The slot it is for: its id, or the position in a ranking, from `1`. Empty: the whole event, each of its slots."""
    metrics: Annotated[dict[MetricName, float], Meta(max_length=MAX_METRICS)] = {}
    """What else was measured, by name: at most 8 finite numbers, for guardrails."""


class Rewarder:
    """Turns requests into records. Immutable: a new one is made when an experiment is registered."""

    def __init__(self, ids: EventIds, clock: Clock, experiments: Iterable[tuple[int, ExperimentSettings]]) -> None:
        self._ids = ids
        self._clock = clock
        self._by_tag = dict(experiments)
        self._by_name = {settings.experiment: settings for settings in self._by_tag.values()}

    def reward(self, request: RewardRequest, at: str = "$") -> Reward:
        """Raises `UnknownEvent` or `UnknownExperiment` (404) and `InvalidInput` for a value out of range."""
        settings = self._settings(request.event_id, request.experiment, at)
        _check(request.reward, settings.reward.range, f"{at}.reward")
        return Reward(
            request.event_id,
            settings.experiment,
            request.reward,
            self._clock.now(),
            request.reward_id,
            request.final,
            request.slot,
            _metrics(request.metrics, at) if request.metrics else (),
        )

    def made_here(self, event_id: str) -> bool:
        """Whether an id was made in this data directory, for an experiment that is known here."""
        return self._ids.tag(event_id) in self._by_tag

    def rewards(self, requests: Iterable[RewardRequest]) -> list[Reward]:
        """All, or none with the place `$.rewards[i]` of the first that is refused."""
        return [self.reward(request, f"$.rewards[{i}]") for i, request in enumerate(requests)]

    def activation(self, event_id: str, experiment: str | None) -> Activation:
        """Raises like `reward`."""
        if not 0 < len(event_id) <= MAX_EVENT_ID:
            raise InvalidInput(f"Expected an event id of 1 to {MAX_EVENT_ID} characters, got {len(event_id)}", at="event_id")
        return Activation(event_id, self._settings(event_id, experiment, "$").experiment, self._clock.now())

    def _settings(self, event_id: str, experiment: str | None, at: str) -> ExperimentSettings:
        tag = self._ids.tag(event_id)
        made_here = self._by_tag.get(tag) if tag is not None else None
        if experiment is None:
            if made_here is None:
                raise UnknownEvent(f"Event id `{event_id}` was not made here; name its experiment", at=f"{at}.event_id")
            return made_here
        if made_here is not None and made_here.experiment != experiment:
            message = f"Event id `{event_id}` belongs to experiment `{made_here.experiment}`, not to `{experiment}`"
            raise InvalidInput(message, at=f"{at}.experiment")
        return self._named(experiment, f"{at}.experiment")

    def _named(self, experiment: str, at: str) -> ExperimentSettings:
        try:
            return self._by_name[experiment]
        except KeyError:
            raise UnknownExperiment(
                f"Unknown experiment `{experiment[:64]}`{did_you_mean(experiment[:64], self._by_name)}", at=at
            ) from None


def _check(reward: float, declared: tuple[float, float] | None, at: str) -> None:
    if not math.isfinite(reward) or abs(reward) > MAX_MAGNITUDE:
        raise InvalidInput(f"Expected a finite number between -1e30 and 1e30, got `{reward}`", at=at)
    if declared is not None and not declared[0] <= reward <= declared[1]:
        low, high = declared
        raise InvalidInput(f"Expected a reward between {low:g} and {high:g} as the experiment declares, got `{reward:g}`", at=at)


def _metrics(given: Mapping[str, float], at: str) -> Metrics:
    if len(given) > MAX_METRICS:
        raise InvalidInput(f"Expected at most {MAX_METRICS} metrics, got {len(given)}", at=f"{at}.metrics")
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            expected = "Expected a name of 1 to 63 letters, digits, `-`, `_` and `.`, the first no sign"
            raise InvalidInput(f"{expected}, got `{name[:64]}`", at=f"{at}.metrics")
        if not math.isfinite(value) or abs(value) > MAX_MAGNITUDE:
            raise InvalidInput(f"Expected a finite number between -1e30 and 1e30, got `{value}`", at=f"{at}.metrics.{name}")
    return tuple(sorted(given.items()))
