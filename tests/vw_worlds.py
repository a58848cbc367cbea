"""Small seeded worlds to learn from, with fixed arms or with actions that bring features; and settings for each exploration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from rewardloop.actions import ActionSet, fixed_actions, parse_actions
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings

EXPLORATIONS: Final = (
    "egreedy", "bag", "cover", "softmax", "squarecb", "regcb", "regcbopt", "rnd", "first", "synthcover",
    "automl", "epsilon_decay",
)  # fmt: skip
ARMS: Final = fixed_actions(["a", "b", "c", "d"])


def settings(exploration: str = "regcbopt", *, actions: tuple[str, ...] | None = ARMS.ids, **learner: object) -> ExperimentSettings:
    """Small weights: a test opens many."""
    learning = msgspec.convert({"bits": 14, **learner}, LearnerSettings)
    policy = msgspec.convert({"exploration": exploration, "num_policies": 3}, PolicySettings)
    return ExperimentSettings(experiment="offers", actions=actions, policy=msgspec.structs.replace(policy, learner=learning))


def context(generator: np.random.Generator) -> Features:
    """Numbers, an indicator and a word."""
    return {
        "age": float(generator.normal(40, 10)),
        "balance": float(generator.normal(0, 1e4)),
        "vip": int(generator.integers(2)),
        "os": ("ios", "android", "wéb")[int(generator.integers(3))],
    }


def featured(generator: np.random.Generator, n: int = 4) -> ActionSet:
    """Items with a price and a colour."""
    items = [
        {"id": f"item-{generator.integers(9)}-{i}", "features": {"price": float(generator.normal(10, 3)), "colour": "red"}}
        for i in range(n)
    ]
    return parse_actions(msgspec.json.encode(items))


def events(n: int, seed: int = 0, *, with_features: bool = False) -> Interactions:
    """n uniform decisions in which the best action depends on the age and, mildly, on the word."""
    generator = np.random.default_rng(seed)
    contexts = [context(generator) for _ in range(n)]
    sets = [featured(generator) for _ in range(5)] if with_features else [ARMS]
    actions = [sets[int(generator.integers(len(sets)))] for _ in range(n)]
    chosen = generator.integers(4, size=n)
    best = np.array([2 * (row["age"] > 40) + (row["os"] == "ios") for row in contexts])  # type: ignore[operator]
    return interactions(contexts, actions, chosen, (chosen == best).astype(float), np.full(n, 0.25))


def interactions(
    contexts: Sequence[Features],
    actions: Sequence[ActionSet],
    action: Sequence[int] | np.ndarray,  # type: ignore[type-arg]
    reward: Sequence[float] | np.ndarray,  # type: ignore[type-arg]
    probability: Sequence[float] | np.ndarray,  # type: ignore[type-arg]
) -> Interactions:
    n, sizes = len(contexts), [len(offered) for offered in actions]
    return Interactions(
        [f"e{i}" for i in range(n)],
        contexts,
        actions,
        np.asarray(action, dtype=np.int64),
        np.asarray(probability, dtype=np.float64),
        np.asarray(reward, dtype=np.float64),
        np.repeat(1 / np.array(sizes, dtype=np.float64), sizes),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.linspace(0, 1, n, endpoint=False),
        np.arange(n, dtype=np.int64),
    )


def halves(logged: Interactions, at: int) -> tuple[Interactions, Interactions]:
    rows = np.arange(len(logged))
    return logged.take(rows[:at]), logged.take(rows[at:])
