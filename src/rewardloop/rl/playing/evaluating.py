"""A checkpoint of a run, played: who acts, on which environment, over which seeds; and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from rewardloop.evaluation import Estimate
from rewardloop.interactions import Floats
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.logged.replay import check_simulated
from rewardloop.rl.playing.episodes import Episode, play_all
from rewardloop.rl.playing.scores import score
from rewardloop.rl.runs.run import RunDirectory, check_same_environment
from rewardloop.rl.runs.training import facts_of_env
from rewardloop.rl.spaces import Facts
from rewardloop.rl.toolkit import Actor, Exported, load_toolkit

FIRST_SEED = 2_000_000
"""Seeds of evaluations begin here: neither training nor its evaluations use them."""


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """How one policy did."""

    policy: str
    env: EnvSpec
    score: Estimate
    """Interquartile mean of the returns."""
    mean_return: float
    metrics: dict[str, float]
    """Means of what the environment measured: kWh, kelvin-hours, PUE, …"""
    n_runs: int
    episodes: tuple[Episode, ...]
    """Run by run, each on the same seeds."""

    @property
    def returns(self) -> Floats:
        """Shape (n_runs, episodes of each)."""
        return np.array([episode.episode_return for episode in self.episodes]).reshape(self.n_runs, -1)


def seeds_of(n_episodes: int) -> range:
    return range(FIRST_SEED, FIRST_SEED + n_episodes)


def evaluate_run(directory: RunDirectory, checkpoint: str, seeds: Sequence[int], overrides: dict[str, Any]) -> Evaluated:
    """The greedy policy of a checkpoint, on the run's environment with other parameters where they are given."""
    manifest = directory.read()
    env = over(manifest.plan.env, overrides)
    check_simulated(env)
    found = list(play_all(env, actor_of(directory, checkpoint, env), seeds, manifest.plan.step_timeout_s))
    return summarised(manifest.run, env, [found])


def actor_of(directory: RunDirectory, checkpoint: str, env: EnvSpec) -> Actor:
    """The policy of a checkpoint; raises `Conflict` where the environment's spaces are not those it was trained on."""
    return actor_for(directory, checkpoint, facts_of_env(env, directory.read().plan.step_timeout_s))


def actor_for(directory: RunDirectory, checkpoint: str, facts: Facts) -> Actor:
    """The same, for an environment that was looked at already."""
    manifest = directory.read()
    path = directory.chosen(checkpoint)
    check_same_environment(manifest, facts)
    return load_toolkit(manifest.plan.toolkit).actor(manifest.plan, path)


def exported_of(directory: RunDirectory, checkpoint: str) -> Exported:
    """A checkpoint as a network to serve; raises `Conflict` where the environment's spaces are not those it was trained on."""
    manifest = directory.read()
    path = directory.chosen(checkpoint)
    check_same_environment(manifest, facts_of_env(manifest.plan.env, manifest.plan.step_timeout_s))
    return load_toolkit(manifest.plan.toolkit).export(manifest.plan, path)


def summarised(policy: str, env: EnvSpec, runs: Sequence[Sequence[Episode]]) -> Evaluated:
    """Episodes of one or more runs on the same seeds as one row."""
    returns = np.array([[episode.episode_return for episode in episodes] for episodes in runs])
    played = tuple(episode for episodes in runs for episode in episodes)
    return Evaluated(
        policy=policy,
        env=env,
        score=score(returns),
        mean_return=float(returns.mean()),
        metrics=_means(played),
        n_runs=len(runs),
        episodes=played,
    )


def over(env: EnvSpec, overrides: dict[str, Any]) -> EnvSpec:
    """The same environment with some parameters changed."""
    return msgspec.structs.replace(env, parameters={**env.parameters, **overrides})


def _means(episodes: Sequence[Episode]) -> dict[str, float]:
    names = dict.fromkeys(name for episode in episodes for name in episode.metrics)
    return {name: float(np.mean([episode.metrics[name] for episode in episodes if name in episode.metrics])) for name in names}
