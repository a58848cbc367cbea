"""Episodes in buildings, for the tests of the simulators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rewardloop.simulators.energyplus import EnergyPlusEnv

JULY = {"day": 196, "weather": "usa_ca_san_francisco"}
MIDDLE = (0.5, 0.5)


def play(env: EnergyPlusEnv, action: Sequence[float] | None, n_steps: int | None = None) -> Iterator[tuple[bytes, float]]:
    """Observation and reward of each step, to the bit."""
    truncated, left = False, n_steps
    while not truncated and left != 0:
        chosen = None if action is None else np.array(action, dtype=np.float32)
        observation, reward, _, truncated, _ = env.step(chosen)
        yield observation.tobytes(), reward
        left = None if left is None else left - 1
