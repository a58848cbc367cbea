"""Many copies of one building, stepped together: one zygote, one process an episode, all cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from rewardloop.errors import InvalidInput
from rewardloop.simulators.energyplus.environment import EnergyPlusEnv, Observed, Use
from rewardloop.simulators.energyplus.simulator import Mode, Simulator
from rewardloop.simulators.energyplus.specification import Specification


class EnergyPlusVectorEnv(VectorEnv[Observed, Observed, NDArray[Any]]):
    """`n_envs` environments of one specification. Seeded with `seed`, the i-th draws as a single one seeded with `seed + i`.

    Resets by itself in the step after an episode's last, as gymnasium's own do (`AutoresetMode.NEXT_STEP`).
    """

    def __init__(self, specification: Specification, n_envs: int, *, use: Use = "train", mode: Mode = "auto") -> None:
        if n_envs < 1:
            raise InvalidInput(f"Expected at least one environment, got {n_envs}", at="$.n_envs")
        self.simulator = Simulator(specification, mode)
        self.envs = [EnergyPlusEnv(specification, use=use, simulator=self.simulator) for _ in range(n_envs)]
        self.num_envs = n_envs
        self.single_observation_space, self.single_action_space = self.envs[0].observation_space, self.envs[0].action_space
        self.observation_space = batch_space(self.single_observation_space, n_envs)
        self.action_space = batch_space(self.single_action_space, n_envs)
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self._over = np.zeros(n_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        seeds = seed if isinstance(seed, list) else [None if seed is None else seed + i for i in range(self.num_envs)]
        infos: dict[str, Any] = {}
        observations = []
        for index, (env, one) in enumerate(zip(self.envs, seeds, strict=True)):
            observation, info = env.reset(seed=one, options=options)
            observations.append(observation)
            infos = self._add_info(infos, info, index)
        self._over[:] = False
        return np.stack(observations), infos

    def step(self, actions: Observed) -> tuple[Observed, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """All are sent their action before the first is waited for."""
        applied = [None if over else env.begin_step(one) for env, one, over in zip(self.envs, actions, self._over, strict=True)]
        observations, rewards = [], np.zeros(self.num_envs)
        truncated, infos = np.zeros(self.num_envs, dtype=np.bool_), dict[str, Any]()
        for index, env in enumerate(self.envs):
            if self._over[index]:
                observation, info = env.reset()
            else:
                observation, rewards[index], _, truncated[index], info = env.end_step(applied[index])
            observations.append(observation)
            infos = self._add_info(infos, info, index)
        self._over = truncated.copy()
        return np.stack(observations), rewards, np.zeros(self.num_envs, dtype=np.bool_), truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        for env in self.envs:
            env.close()
        self.simulator.close()
