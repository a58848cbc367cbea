"""Actions as corrections of the engineer's rules: an agent that knows nothing yet does what the rules do. Reads no simulator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rewardloop.simulators.energyplus.controllers import Observed, Ruled
from rewardloop.simulators.energyplus.specification import Specification


class Offsets:
    """0.5 leaves a set-point at its rule; 0 and 1 move it down and up by `reach` of its range, and no farther than the range."""

    def __init__(self, specification: Specification, reach: float) -> None:
        self._rules = Ruled(specification)
        self._reach = reach

    def action(self, shares: Sequence[float], observation: Observed) -> NDArray[np.float64]:
        """Shares of the ranges, as the building is to have them.

        >>> from rewardloop.simulators.energyplus.shipped import bundled
        >>> seen = np.array([25.0, 18.0, 50.0], dtype=np.float32)
        >>> Offsets(bundled("DataCenter-1Zone"), 0.2).action([1.0, 0.5], seen).round(3).tolist()
        [0.2, 0.667]
        """
        rule = np.asarray(self._rules.act(observation), dtype=np.float64)
        moved = rule + self._reach * (2.0 * np.asarray(shares, dtype=np.float64) - 1.0)
        return np.clip(moved, 0.0, 1.0)
