"""An experiment that has learned: `b` is good for the young, `a` for the old; logged by chance, then trained and hosted.

The ids are given, and with them every draw: each run learns the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rewardloop import Experiment
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings, TrainingSettings

SHOP = ExperimentSettings(
    experiment="shop",
    policy=PolicySettings(exploration="egreedy"),
    reward=RewardSettings(range=(-1.0, 1.0)),
    training=TrainingSettings(ratio=0.5),
)
ACTIONS = [
    {"id": "a", "features": {"kind": "book"}},
    {"id": "b", "features": {"kind": "game"}},
    {"id": "c", "features": {"kind": "tool"}},
]


def learn(data: Path, events: int = 600) -> None:
    """The mean reward of chance is 1/3, of always `a` 1/2, of the best 1."""
    rng = np.random.default_rng(0)
    with Experiment.open(SHOP, data) as shop:
        for i in range(events):
            young = bool(rng.random() < 0.5)
            context = {"age": "young" if young else "old", "noise": float(rng.random())}
            decision = shop.decide(context, ACTIONS, event_id=f"visit-{i}")
            shop.reward(decision.event_id, float("abc"[decision.action] == ("b" if young else "a")))
        shop.deploy(shop.train().model_id)
