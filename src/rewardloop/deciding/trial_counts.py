"""What serving counts of a trial: errors, times, and how near the challenger comes. Plain numbers that can be added up."""

from __future__ import annotations

import msgspec

LONGEST_ERROR = 200


class Moments(msgspec.Struct):
    """Count, sum and sum of squares: mean and variance of any number of numbers."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, x: float) -> None:
        self.n += 1
        self.total += x
        self.squares += x * x

    def plus(self, other: Moments) -> Moments:
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0


class TrialCounts(msgspec.Struct):
    """What one process, or all of them together, saw of a trial. Times are microseconds to score one decision."""

    trial: int = 0
    champion: Moments = msgspec.field(default_factory=Moments)
    challenger: Moments = msgspec.field(default_factory=Moments)
    errors: int = 0
    """Decisions in which the challenger failed."""
    distance: Moments = msgspec.field(default_factory=Moments)
    """Total variation between the two distributions, where both were computed."""
    agreed: int = 0
    """Of those, decisions with the same likeliest action."""
    refused: int = 0
    """Processes that could not take the challenger into memory."""
    died: int = 0
    """Processes that died while it was on trial, by whatever cause."""
    error: str = ""
    """What the challenger said when it first failed."""

    def failed(self, error: Exception) -> None:
        """One more decision in which it did."""
        self.errors += 1
        self.error = self.error or f"{type(error).__name__}: {error}"[:LONGEST_ERROR]

    def plus(self, other: TrialCounts) -> TrialCounts:
        return TrialCounts(
            self.trial,
            self.champion.plus(other.champion),
            self.challenger.plus(other.challenger),
            self.errors + other.errors,
            self.distance.plus(other.distance),
            self.agreed + other.agreed,
            self.refused + other.refused,
            self.died + other.died,
            self.error or other.error,
        )
