"""A value to set in a range, 5,000 rounds: the loss of what the platform learns, beside Vowpal Wabbit's CATS and values at random.

    python -m benchmarks.continuous [--seeds 3] [--rounds 5000] [--cells 32]

Each learns after every round; loss is |value − best| in units of the range, exploration included. `cats` is Vowpal Wabbit by its
public API: `cats_pdf` with 16 actions, a bandwidth of one of them and epsilon .05; the numbers of the context come to it as words,
ten to a range, and to us as numbers. `cats as a policy` is ours with as many cells. Prints a JSON document.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from cyclopts import App
from vowpalwabbit import Workspace

from rewardloop.actions import celled_actions
from rewardloop.cells import Cells
from rewardloop.features import Features
from rewardloop.ids import draws, uniform
from rewardloop.interactions import Interactions
from rewardloop.policies import new_policy
from rewardloop.policies.continuous import draw_in
from rewardloop.policies.exploration import sample, serve_pmf
from rewardloop.settings import ContinuousActions, ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.worlds.setpoint import HIGH, LOW, Setpoint

BINS = 16
Play = Callable[[int], float]
"""Decides and learns round i; the value."""

app = App()


class Ours:
    """Decided as the platform does it, floor included."""

    def __init__(self, world: Setpoint, cells: int, exploration: str, seed: int) -> None:
        self._world, self._cells = world, Cells(LOW, HIGH, cells)
        self._settings = ExperimentSettings(
            experiment="heating",
            actions=ContinuousActions(low=LOW, high=HIGH, cells=cells),
            policy=PolicySettings(exploration=exploration),  # type: ignore[arg-type]
            reward=RewardSettings(range=(0.0, 1.0)),
        )
        self._policy, self._offered, self._seed = new_policy(self._settings, seed), celled_actions(self._cells), seed

    def play(self, i: int) -> float:
        context = self._world.contexts[i]
        pmf = serve_pmf(self._policy.pmf(context, self._offered), floor=self._settings.policy.floor)
        seed, _ = draws("heating", f"{self._seed}-{i}")
        cell = sample(pmf, uniform(seed))
        value = draw_in(self._cells, cell, pmf[cell], explore=True, seed=seed).values[0]
        self._policy.learn(self._closed(context, cell, pmf, self._world.reward(i, value)))
        return value

    def _closed(self, context: Features, cell: int, pmf: list[float], reward: float) -> Interactions:
        one, chances = np.array, np.array(pmf)
        numbers = one([cell]), chances[[cell]], one([reward]), chances, one([0, len(pmf)]), one([0.5]), one([0])
        return Interactions(["e"], [context], [self._offered], *numbers)


class Cats:
    """Vowpal Wabbit's own."""

    def __init__(self, world: Setpoint, seed: int) -> None:
        self._world = world
        width = (HIGH - LOW) / BINS
        self._vw = Workspace(
            f"--cats_pdf {BINS} --bandwidth {width} --min_value {LOW} --max_value {HIGH} --epsilon 0.05 --chain_hash --quiet "
            f"--random_seed {seed}"
        )
        self._rng = np.random.default_rng([seed, 1])

    def play(self, i: int) -> float:
        outdoor, people, building = self._world.contexts[i].values()
        words = f"| outdoor={int((float(outdoor) + 10) / 3.5)} people={int(people) // 4} building={building}"
        segments = self._vw.predict(words)
        shares = np.array([(right - left) * density for left, right, density in segments])
        at = self._rng.choice(len(segments), p=shares / shares.sum())
        left, right, density = segments[at]
        value = float(self._rng.uniform(left, right))
        self._vw.learn(f"ca {value}:{1.0 - self._world.reward(i, value)}:{density} {words}")
        return value


def at_random(rng: np.random.Generator, i: int) -> float:
    """Any value, whatever the context."""
    return float(rng.uniform(LOW, HIGH))


def played(world: Setpoint, play: Play) -> dict[str, float]:
    started = time.process_time()
    losses = np.array([world.loss(i, play(i)) for i in range(len(world.contexts))])
    tail = len(losses) // 10
    return {
        "first_tenth": float(losses[:tail].mean()),
        "last_tenth": float(losses[-tail:].mean()),
        "mean": float(losses.mean()),
        "cpu_s": time.process_time() - started,
    }


@app.default
def main(seeds: int = 3, rounds: int = 5_000, cells: int = 32) -> None:
    """Play all of them on the same rounds."""
    results: dict[str, list[dict[str, float]]] = {}
    for seed in range(1, seeds + 1):
        world, rng = Setpoint.new(rounds, seed), np.random.default_rng([seed, 2])
        players: dict[str, Play] = {name: Ours(world, cells, name, seed).play for name in ("lints", "linucb", "regcbopt")}
        players["cats as a policy"] = Ours(world, BINS, "cats", seed).play
        players |= {"cats": Cats(world, seed).play, "random": partial(at_random, rng)}
        for name, play in players.items():
            results.setdefault(name, []).append(played(world, play))
    print(
        json.dumps({name: {key: float(np.mean([run[key] for run in runs])) for key in runs[0]} for name, runs in results.items()})
    )


if __name__ == "__main__":
    app()
