"""The winner behind the same server as a bandit: every step of a day is decided over HTTP, logged, and rewarded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from rewardloop.client import Client
from rewardloop.demo.processes import serving
from rewardloop.loop.experiment import Experiment
from rewardloop.rl.deploying import Deployed, context_of, deploy, settings_for
from rewardloop.rl.environments import Env
from rewardloop.rl.playing.episodes import Episode, Step, play
from rewardloop.rl.runs.run import RunDirectory
from rewardloop.rl.toolkit import Masks

EXPERIMENT: Final = "data-centre"
_AT_ONCE: Final = 100


class Asking:
    """An actor that asks the server, without exploration."""

    def __init__(self, client: Client, dtype: Any) -> None:
        self._client = client
        self._dtype = dtype
        self.event_ids: list[str] = []

    def begin(self, seed: int) -> None:
        self.event_ids = []

    def act(self, observation: Any, masks: Masks | None) -> Any:
        answer = self._client.decide(msgspec.json.decode(context_of(observation)), explore=False)
        self.event_ids.append(answer.event_id)
        return np.array(answer.values, dtype=self._dtype)


def deployed(directory: RunDirectory, data: Path) -> Deployed:
    """The run's best checkpoint as ONNX, in an experiment of its own."""
    with Experiment.open(settings_for(directory, EXPERIMENT), data) as opened:
        return deploy(directory, opened)


def served(env: Env, seed: int, data: Path, log: Path) -> tuple[Episode, str]:
    """The same episode, but that the actions come from `rewardloop serve`; and the id of its last decision."""
    rewards: list[float] = []

    def look(step: Step) -> None:
        rewards.append(step.reward)

    with serving(None, data, log) as server, Client(server.url(), EXPERIMENT) as client:
        asking = Asking(client, env.action_space.dtype)
        episode = play(env, asking, seed, look)
        _reward(client, list(zip(asking.event_ids, rewards, strict=True)))
    return episode, asking.event_ids[-1]


def _reward(client: Client, earned: Sequence[tuple[str, float]]) -> None:
    for start in range(0, len(earned), _AT_ONCE):
        client.reward_many(earned[start : start + _AT_ONCE])
