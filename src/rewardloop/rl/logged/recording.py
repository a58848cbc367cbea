"""Playing a trained policy as it would be served, and writing down every step with the probability of what it did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from rewardloop.interactions import Floats
from rewardloop.policies.exploration import sample
from rewardloop.rl.environments import Env, EnvSpec
from rewardloop.rl.guarding import make_guarded
from rewardloop.rl.logged.acting import ServedPolicy, flat, to_action
from rewardloop.rl.logged.episodes import Header, Logged
from rewardloop.rl.logged.files import write_episodes
from rewardloop.rl.logged.replay import check_simulated
from rewardloop.rl.playing.episodes import Episode, play
from rewardloop.rl.playing.evaluating import Evaluated, actor_of, exported_of, over, summarised
from rewardloop.rl.runs.run import RunDirectory
from rewardloop.rl.spaces import possible_arms
from rewardloop.rl.toolkit import Masks


def record(
    directory: RunDirectory,
    checkpoint: str,
    seeds: Sequence[int],
    overrides: dict[str, Any],
    path: Path,
    *,
    explore: float = 0.0,
) -> Evaluated:
    """Plays an episode a seed and writes them to `path`. Raises `InvalidInput` where the policy is not exported.

    Not the greedy policy: with its own spread, and a share of `explore` at random, drawn from the seeds.
    """
    manifest = directory.read()
    env = over(manifest.plan.env, overrides)
    check_simulated(env)
    actor_of(directory, checkpoint, env)
    policy = ServedPolicy(exported_of(directory, checkpoint), explore=explore)
    episodes, logged = played(policy, env, seeds, manifest.run, manifest.plan.step_timeout_s)
    write_episodes(path, logged)
    return summarised(manifest.run, env, [episodes])


def played(
    policy: ServedPolicy, spec: EnvSpec, seeds: Sequence[int], name: str, timeout_s: float | None = None
) -> tuple[list[Episode], Logged]:
    """The episodes, and all that was seen and done."""
    env = _Remembering(make_guarded(spec, timeout_s))
    actor = _Drawing(policy, env.action_space)
    try:
        episodes = [play(env, actor, seed) for seed in seeds]
    finally:
        env.env.close()
    lengths = np.array([episode.n_steps for episode in episodes])
    observations = np.vstack(env.observations)
    ends = np.cumsum(lengths + 1) - 1
    before = np.ones(len(observations), bool)
    before[ends] = False
    head, n_actions = policy.head, policy.head.n_arms if policy.is_discrete else 0
    return episodes, Logged(
        Header(policy=name, env=spec, inputs=head.inputs, n_actions=n_actions, low=head.low, high=head.high),
        tuple(str(seed) for seed in seeds),
        observations[before],
        observations[ends],
        np.array(actor.actions, np.int64) if policy.is_discrete else np.array(actor.actions, np.float64),
        np.array(env.rewards),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([episode.terminated for episode in episodes]),
        np.array(actor.probabilities),
        np.array(actor.pmfs) if actor.pmfs else None,
        np.array(actor.masks) if actor.masks else None,
    )


class _Remembering(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Writes down what an environment shows and pays."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self.observations: list[Floats] = []
        self.rewards: list[float] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self.observations.append(flat(observation))
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        answer = self.env.step(action)
        self.observations.append(flat(answer[0]))
        self.rewards.append(float(answer[1]))
        return answer


class _Drawing:
    """An actor that draws as a server would, and writes down with what probability."""

    def __init__(self, policy: ServedPolicy, space: gymnasium.Space[Any]) -> None:
        self._policy = policy
        self._space = space
        self._generator = np.random.default_rng(0)
        self.actions: list[Any] = []
        self.probabilities: list[float] = []
        self.pmfs: list[list[float]] = []
        self.masks: list[Masks] = []

    def begin(self, seed: int) -> None:
        self._generator = np.random.default_rng([seed, 2])

    def act(self, observation: Any, masks: Masks | None) -> Any:
        return self._choose(flat(observation), masks) if self._policy.is_discrete else self._move(flat(observation))

    def _choose(self, observation: Floats, masks: Masks | None) -> Any:
        possible = None if masks is None else possible_arms(self._space, masks)
        pmf = self._policy.pmf(observation, possible)
        arm = sample(pmf, float(self._generator.random()))
        self.actions.append(arm)
        self.probabilities.append(pmf[arm])
        self.pmfs.append(pmf)
        if possible is not None:
            self.masks.append(possible)
        return to_action(self._space, arm)

    def _move(self, observation: Floats) -> Any:
        drawn = self._policy.draw(self._policy.spread(observation), int(self._generator.integers(1 << 62)))
        self.actions.append(list(drawn.values))
        self.probabilities.append(drawn.density)
        return np.array(drawn.values, self._space.dtype).reshape(self._space.shape)
