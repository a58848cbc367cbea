"""Policies with a known distribution, and requests, for the tests of rankings and slots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.features import Features
from rewardloop.ids import EventIds
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.settings import ExperimentSettings

LETTERS = ["a", "b", "c", "d"]
FREE = ExperimentSettings(experiment="articles")


class Weighted(UniformPolicy):
    """Softmax-like: weights 1, 2, 3, … by the action's letter, whatever else is on offer; doubled by the slot's feature `x`."""

    def pmf(self, context: Features, actions: ActionSet) -> list[float]:
        tilt = 1.0 + float(context.get("slot.x", 0.0))
        weights = [(ord(action[0]) - 96.0) ** tilt for action in actions.ids]
        return [weight / sum(weights) for weight in weights]

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Any:
        rows = [self.pmf(context, offered) for context, offered in zip(contexts, actions, strict=True)]
        return np.concatenate([np.empty(0), *rows])


def decider(settings: ExperimentSettings = FREE) -> Decider:
    clock = ManualClock()
    return Decider(settings, 3, EventIds(clock, key=7, start=0), clock)


def request(context: object = None, actions: object = LETTERS, slots: Sequence[object] = (), **fields: Any) -> DecideRequest:
    body = {"context": context or {"x": 1}, **fields}
    if actions is not None:
        body["actions"] = actions
    if slots:
        body["slots"] = slots
    return msgspec.json.decode(json.dumps(body), type=DecideRequest)
