"""What the building's own schedules earn, step by step, on each day and weather: played once, kept, and taken off the reward.

Whatever an agent cannot change (weather, occupancy, the servers' load) is in both, so the difference shows what it can. Taking off
what no action of the agent's moves leaves the best policy as it is: Mao et al. 2019, "Variance reduction for reinforcement learning
in input-driven environments".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

N_KEPT: Final = 400
Rewards = Sequence[float]


class Beside:
    """Rewards by (weather, day), the last used last."""

    def __init__(self, play: Callable[[str, int], Rewards]) -> None:
        self._play = play
        self._kept: OrderedDict[tuple[str, int], Rewards] = OrderedDict()

    def rewards(self, weather: str, day: int) -> Rewards:
        """A reward a step; the episode is played where it was not yet.

        >>> beside = Beside(lambda weather, day: [float(day)])
        >>> beside.rewards("usa_co_golden", 3)
        [3.0]
        """
        key = (weather, day)
        if key not in self._kept:
            self._kept[key] = self._play(weather, day)
        self._kept.move_to_end(key)
        if len(self._kept) > N_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
