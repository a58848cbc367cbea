"""Rankings, slots and slates learn, through the whole loop: decide, reward, join, train, deploy. Fixed seeds, wide margins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.events import Decision
from rewardloop.settings import Duration, GateSettings, PolicySettings, RankingSettings, RewardSettings
from rewardloop.settings.schema import LearnerSettings
from rewardloop.slots import shown
from rewardloop.worlds.cascade import Cascade

ROUNDS = 120
Play = Callable[[Experiment, str], float]
SETTINGS = ExperimentSettings(
    experiment="films",
    policy=PolicySettings(learner=LearnerSettings(replay=2)),
    reward=RewardSettings(window=Duration(SECOND), closes="window", range=(0.0, 1.0)),
    gate=GateSettings(rule="always"),
)


def played(data: Path, settings: ExperimentSettings, play: Play, n_turns: int = 4) -> tuple[float, float]:
    """Mean of what `play`, given the id of each event, earns before the first turn of the loop and after the last one."""
    clock = ManualClock()
    means = []
    with Experiment.open(settings, data, clock=clock) as experiment:
        for turn in range(n_turns + 1):
            means.append(sum(play(experiment, f"{turn}-{i}") for i in range(ROUNDS)) / ROUNDS)
            clock.advance(2 * SECOND)
            experiment.turn()
    return means[0], means[-1]


def test_a_ranking_learns_from_clicks_of_a_cascade(tmp_path: Path) -> None:
    world, rng = Cascade.new(3, n_users=10, n_films=20), np.random.default_rng(0)
    films = [{"id": film, "features": features} for film, features in world.films]

    def play(experiment: Experiment, event_id: str) -> float:
        user = int(rng.integers(10))
        decision = experiment.decide(world.users[user], films, top_k=3, event_id=event_id)
        ranking = [choice.action for choice in decision.slots]
        for position, click in enumerate(world.clicks(user, ranking, rng)):
            if click:
                experiment.reward(decision.event_id, click, slot=str(position + 1))
        return world.click_rate(user, ranking) / world.click_rate(user, world.best(user, 3))

    before, after = played(tmp_path, replace(SETTINGS, ranking=RankingSettings(feedback="cascade")), play)
    assert before < 0.5
    assert after > before + 0.2


def test_slots_learn_what_suits_each_of_them(tmp_path: Path) -> None:
    """A film suits the slot of its size; each slot has its own reward."""
    films = [{"id": f"f{i}", "features": {"size": size}} for i, size in enumerate(["large", "small"] * 3)]
    slots = [{"id": "top", "features": {"size": "large"}}, {"id": "side", "features": {"size": "small"}}]

    def play(experiment: Experiment, event_id: str) -> float:
        decision = experiment.decide({}, films, slots=slots, event_id=event_id)
        right = [float(choice.action % 2 == place) for place, choice in enumerate(decision.slots)]
        for slot, reward in zip(slots, right, strict=True):
            experiment.reward(decision.event_id, reward, slot=str(slot["id"]))
        return sum(right) / 2

    before, after = played(tmp_path, SETTINGS, play, n_turns=2)
    assert before < 0.65
    assert after > 0.85


def test_a_slate_learns_from_one_reward_for_all(tmp_path: Path) -> None:
    slots = [{"id": "title", "actions": ["plain", "bold", "loud"]}, {"id": "image", "actions": ["cat", "dog", "bird"]}]

    def play(experiment: Experiment, event_id: str) -> float:
        decision = experiment.decide({}, slots=slots, event_id=event_id)
        earned = _worth(decision)
        experiment.reward(decision.event_id, earned)
        return earned

    before, after = played(tmp_path, SETTINGS, play, n_turns=2)
    assert before < 0.5
    assert after > 0.8


def _worth(decision: Decision) -> float:
    return sum(each.action in {"bold", "dog"} for each in shown(decision)) / 2
