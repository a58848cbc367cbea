"""A range of numbers as equal cells: the density of a continuous action is constant in each. No policy, no randomness.

A policy's distribution over the cells is then all there is to know: floor, exclusions, importance weights, the gate take the cells
for arms, and the ratio of two policies' densities at a value is that of their probabilities of its cell.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rewardloop.errors import InvalidInput

MAX_CELLS = 256
N_BUMPS = 12
_ROUNDING = 1e-9


class Drawn(NamedTuple):
    """Values, and the density they were drawn with; infinite where they were not drawn (`explore: false`)."""

    values: tuple[float, ...]
    density: float


class Cells(NamedTuple):
    """`n` cells of equal width between `low` and `high`."""

    low: float
    high: float
    n: int

    @property
    def width(self) -> float:
        return (self.high - self.low) / self.n

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the arms that stand for them.

        >>> Cells(20.0, 35.0, 3).ids
        ('1', '2', '3')
        """
        return tuple(str(i + 1) for i in range(self.n))

    def outside(self, low: float, high: float, at: str) -> tuple[int, ...]:
        """Cells that do not lie wholly between two numbers; raises `InvalidInput` where the numbers lie outside, or no cell inside.

        >>> Cells(20.0, 35.0, 3).outside(24.0, 35.0, "$")
        (0,)
        """
        if not self.low <= low < high <= self.high:
            raise InvalidInput(f"Expected {self.low:g} ≤ low < high ≤ {self.high:g}, got low {low:g} and high {high:g}", at=at)
        first = math.ceil((low - self.low) / self.width - _ROUNDING)
        last = math.floor((high - self.low) / self.width + _ROUNDING)
        if first >= last:
            raise InvalidInput(f"Expected room for a cell of {self.width:g}, got {low:g} to {high:g}", at=at)
        return (*range(first), *range(last, self.n))

    def cell(self, value: float, at: str) -> int:
        """The cell that a number lies in; raises `InvalidInput` where it lies outside.

        >>> Cells(20.0, 35.0, 3).cell(35.0, "$"), Cells(20.0, 35.0, 3).cell(25.0, "$")
        (2, 1)
        """
        if not self.low <= value <= self.high:
            raise InvalidInput(f"Expected a number from {self.low:g} to {self.high:g}, got {value:g}", at=at)
        return min(int((value - self.low) / self.width), self.n - 1)

    def draw(self, cell: int, probability: float, u: float, *, explore: bool) -> Drawn:
        """A value in a cell that was drawn with a probability: uniform for u ~ U[0, 1); its middle where nothing is explored.

        >>> Cells(20.0, 35.0, 3).draw(1, 0.5, 0.2, explore=True)
        Drawn(values=(26.0,), density=0.1)
        """
        if not explore:
            return Drawn((self.low + (cell + 0.5) * self.width,), math.inf)
        value = min(max(self.low + (cell + u) * self.width, self.low), self.high)
        return Drawn((value,), probability / self.width)

    def bumps(self) -> list[tuple[float, ...]]:
        """Smooth features of each cell's middle: at most twelve Gaussian bumps, as wide as they stand apart.

        >>> [len(Cells(0.0, 1.0, n).bumps()[0]) for n in (2, 16, 64)]
        [2, 12, 12]
        """
        n_bumps = min(self.n, N_BUMPS)
        centres = [(i + 0.5) * self.n / n_bumps - 0.5 for i in range(n_bumps)]
        apart = self.n / n_bumps
        return [tuple(math.exp(-0.5 * ((i - c) / apart) ** 2) for c in centres) for i in range(self.n)]
