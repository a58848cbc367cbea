"""A DreamerV3 network as an actor: what it believes of the world goes on from step to step within an episode."""

from __future__ import annotations

from typing import Any

import torch

from rewardloop.rl.rllib.acting import Network, NetworkActor
from rewardloop.rl.rllib.adapting import flat, native
from rewardloop.rl.toolkit import Masks


class DreamingActor(NetworkActor):
    """Greedy. The belief is drawn, by a generator of the episode's seed: the same observations, the same actions."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._model: Any = network.module.dreamer_model
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Forgets the last episode."""
        self._belief = {name: part[None] for name, part in self._model.get_initial_state().items()}
        self._is_first = torch.ones(1)
        self._draws = torch.Generator().manual_seed(seed).get_state()

    def act(self, observation: Any, masks: Masks | None) -> Any:
        seen = torch.from_numpy(flat(self._network.seen, observation)[None, None])
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._draws)
            numbers, self._belief = self._model.forward_inference(seen, self._belief, self._is_first)
            self._draws = torch.get_rng_state()
        self._is_first = torch.zeros(1)
        return native(self._network.done, self._greedy(numbers[0].numpy()))
