"""What policies earn where requests bring actions with features: the table of docs/policies.md.

    python -m benchmarks.featured [--policies lints] [--rounds 4000] [--seeds 2] [--batch 1] [--delay 0] [--worlds made]
        [--shortlist 20]

Every round is decided, then learned `--delay` rounds later, in batches of `--batch`, of which history is replayed as the loop does.
What a round earns is the mean reward of the distribution served, floor included; `early` is of the first thousand. Prints a JSON
line a run, and at last a table.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from cyclopts import App

from benchmarks.featured_worlds import WORLDS, Round
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies import new_policy
from rewardloop.policies.exploration import serve_pmf
from rewardloop.settings import LearnerSettings, PolicySettings
from rewardloop.settings.schema import Exploration
from rewardloop.testbed.arms import Replaying, replay_sample, settings_for

EARLY = 1_000
NATIVE = ("lints", "linucb")

app = App()


class Run(msgspec.Struct, frozen=True):
    world: str
    policy: str
    seed: int
    early: float
    mean: float
    late: float
    """Of the last quarter."""
    random: float
    best: float
    decide_us: float
    learn_us: float


class Knobs(NamedTuple):
    rounds: int
    batch: int
    delay: int
    columns: int
    """`max_columns`."""
    shortlist: int | None
    """Of Vowpal Wabbit's."""


class Player:
    """A fresh policy, what it was asked, and what it drew."""

    def __init__(self, exploration: Exploration, seed: int, knobs: Knobs) -> None:
        learner, shortlist = LearnerSettings(max_columns=knobs.columns), None if exploration in NATIVE else knobs.shortlist
        self._settings = settings_for(PolicySettings(exploration=exploration, shortlist=shortlist, learner=learner), None)
        self._policy = new_policy(self._settings, seed)
        self._rounds: list[Round] = []
        self._pmfs: list[list[float]] = []
        self._chosen: list[int] = []
        self._rewards: list[float] = []
        self._seed = seed

    def decide(self, asked: Round, dice: np.random.Generator) -> float:
        """What it earns."""
        pmf = serve_pmf(self._policy.pmf(asked.context, asked.actions), floor=self._settings.policy.floor)
        chosen = int(dice.choice(len(pmf), p=pmf))
        self._rounds.append(asked)
        self._pmfs.append(pmf)
        self._chosen.append(chosen)
        self._rewards.append(float(dice.random() < asked.means[chosen]))
        return float(asked.means @ pmf)

    def learn(self, start: int, stop: int, replay: bool) -> None:
        self._policy.learn(self._logged(range(start, stop)))
        if replay and isinstance(self._policy, Replaying):
            for rows in replay_sample(self._settings.policy.learner, range(stop), self._seed):
                self._policy.relearn(self._logged(rows))

    def _logged(self, rows: Sequence[int]) -> Interactions:
        pmfs = [self._pmfs[row] for row in rows]
        return Interactions(
            [str(row) for row in rows],
            [self._rounds[row].context for row in rows],
            [self._rounds[row].actions for row in rows],
            np.array([self._chosen[row] for row in rows]),
            np.array([self._pmfs[row][self._chosen[row]] for row in rows]),
            np.array([self._rewards[row] for row in rows]),
            np.concatenate(pmfs),
            np.cumsum([0, *map(len, pmfs)]),
            np.zeros(len(rows)),
            np.array(rows, np.int64),
        )


def play(world: str, exploration: Exploration, seed: int, knobs: Knobs) -> Run:
    rounds, batch, delay = knobs.rounds, knobs.batch, knobs.delay
    player, dice = Player(exploration, seed, knobs), np.random.default_rng([seed, 1])
    asked = list(WORLDS[world](rounds, np.random.default_rng([seed, 0])))
    earned, deciding, learned, learning = np.empty(rounds), 0.0, 0, 0.0
    for number, one in enumerate(asked):
        began = time.process_time()
        earned[number] = player.decide(one, dice)
        decided = time.process_time()
        if (stop := number + 1 - delay) >= learned + batch:
            player.learn(learned, stop, batch > 1)
            learned = stop
        deciding, learning = deciding + decided - began, learning + time.process_time() - decided
    means = [one.means for one in asked]
    at_random, best = float(np.mean([m.mean() for m in means])), float(np.mean([m.max() for m in means]))
    costs = 1e6 * deciding / rounds, 1e6 * learning / rounds
    early, late = (float(part.mean()) for part in (earned[:EARLY], earned[-rounds // 4 :]))
    return Run(world, exploration, seed, early, float(earned.mean()), late, at_random, best, *costs)


def table(runs: Sequence[Run], policies: Sequence[str]) -> Iterator[str]:
    """Markdown: world by world, the first thousand rounds and all."""
    yield "| world | at random | " + " | ".join(f"{p}, first {EARLY:,} | {p}, all" for p in policies) + " | the best |"
    yield "| --- |" + " ---: |" * (2 * len(policies) + 2)
    grouped: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        grouped[run.world].append(run)
    for world, of in grouped.items():
        each = [[run for run in of if run.policy == policy] for policy in policies]
        cells = [f"{_mean([run.early for run in own])} | {_mean([run.mean for run in own])}" for own in each]
        yield f"| {world} | {_mean([r.random for r in of])} | " + " | ".join(cells) + f" | {_mean([r.best for r in of])} |"


def _mean(values: Sequence[float] | Floats) -> str:
    return f"{np.mean(values):.3f}".lstrip("0")


@app.default
def main(
    *,
    policies: tuple[Exploration, ...] = ("lints", "regcbopt"),
    rounds: int = 4_000,
    seeds: int = 2,
    batch: int = 1,
    delay: int = 0,
    columns: int = 256,
    shortlist: int | None = None,
    worlds: tuple[str, ...] = (),
) -> None:
    chosen = [name for name in WORLDS if not worlds or any(name.startswith(begin) for begin in worlds)]
    runs = []
    for world in chosen:
        for seed in range(seeds):
            for policy in policies:
                runs.append(play(world, policy, seed, Knobs(rounds, batch, delay, columns, shortlist)))
                print(msgspec.json.encode(runs[-1]).decode(), flush=True)
    print("\n".join(table(runs, policies)))


if __name__ == "__main__":
    app()
