"""An agent's numbers made into a command: refused when they are none, scaled, and held to the constraints."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rewardloop.errors import InvalidInput
from rewardloop.simulators.energyplus.specification import Specification

SLACK = 1e-6
"""How far outside [0, 1] a rounding error may lead."""

FloatArray = NDArray[np.floating]


class Commander:
    """Actions in [0, 1], one a name → values in the units of the building → one double an actuator."""

    def __init__(self, specification: Specification) -> None:
        actions = list(specification.actions.values())
        names = list(specification.actions)
        self.names = tuple(names)
        self._low = [action.low for action in actions]
        self._span = [action.high - action.low for action in actions]
        self._repeat = [i for i, action in enumerate(actions) for _ in action.actuators]
        self._constraints = [(names.index(one.raised), names.index(one.above), one.by) for one in specification.constraints]
        self.released = array("d", [math.nan] * len(self._repeat)).tobytes()
        """The command that leaves everything to the building's own schedules: EnergyPlus never sees the NaN."""

    def values(self, action: Sequence[float] | FloatArray) -> list[float]:
        """What an action means, within the constraints; raises `InvalidInput` for one that means nothing."""
        shares = zip(self._low, self._span, self.shares(action), strict=True)
        return self._constrained([low + span * share for low, span, share in shares])

    def shares(self, action: Sequence[float] | FloatArray) -> list[float]:
        """The numbers of an action; raises `InvalidInput` where they are too few, or beyond 0 and 1.

        EnergyPlus itself would take a NaN without a word, and end the run for a cooling set-point below the heating one.
        """
        try:
            shares = action.tolist() if isinstance(action, np.ndarray) else list(action)
            if len(shares) != len(self._low):
                raise InvalidInput(f"Expected {self._wanted}, got {len(shares)}", at="$.action")
            for i, share in enumerate(shares):
                if not -SLACK <= share <= 1 + SLACK:
                    raise InvalidInput(f"Expected a number from 0 to 1 for `{self.names[i]}`, got {share}", at=f"$.action[{i}]")
        except TypeError:
            raise InvalidInput(f"Expected {self._wanted}, got {action!r:.80}", at="$.action") from None
        return shares

    @property
    def _wanted(self) -> str:
        return f"{len(self._low)} numbers ({', '.join(self.names)})"

    def command(self, values: Sequence[float]) -> bytes:
        return array("d", [values[i] for i in self._repeat]).tobytes()

    def action(self, values: Sequence[float]) -> NDArray[np.float32]:
        """The action that means these values, as near as [0, 1] allows."""
        shares = [(value - low) / span for value, low, span in zip(values, self._low, self._span, strict=True)]
        return np.clip(np.array(shares, dtype=np.float32), 0.0, 1.0)

    def _constrained(self, values: list[float]) -> list[float]:
        for raised, above, by in self._constraints:
            values[raised] = max(values[raised], values[above] + by)
        return values
