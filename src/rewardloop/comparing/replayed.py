"""What replaying a log found: who earned more, the bandit or the A/B test, and on how much of the log."""

from __future__ import annotations

import msgspec

from rewardloop.comparing.split import SplitDesign
from rewardloop.evaluation import Estimate
from rewardloop.worlds.logged import Replay


class Way(msgspec.Struct, frozen=True):
    """What one way of choosing earned. Intervals are of the spread over resamples of the log: another log would differ as much."""

    name: str
    mean_reward: Estimate
    gain: Estimate | None = None
    """Over the A/B test; None for that itself."""
    wins: float | None = None
    """Share of the runs in which it earned more than the A/B test."""
    ess: float | None = None
    """Weighted by importance: as many events decided by itself would tell as much; None for rejection, where all used ones are."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result."""

    log: str
    n_events: int
    n_used: float
    """Visitors a run: events that a replay could use, on average."""
    least_probability: float
    """The smallest logged one: the share of events that can be used."""
    runs: int
    seed: int
    design: SplitDesign
    logged: float
    """Mean reward of the log as it was."""
    ab_test: Way
    bandits: tuple[Way, ...]
    ended_after: Estimate
    significant: float
    winners: dict[str, float]
    """Share of the runs in which each arm was rolled out."""
    replay: Replay = "rejection"
    """How the log was replayed; by `importance` `n_used` is the smallest effective sample size."""

    @property
    def summary(self) -> str:
        """What could be replayed, and who earned more."""
        if self.replay == "importance":
            said = f"Weighted, {self.n_events:,} events tell as much as {self.n_used:,.0f} of its own decisions would."
            return " ".join([said, *_versus(self)])
        used = f"{self.n_used:,.0f} of {self.n_events:,} events could be used"
        return " ".join([f"{used}, as the log took some action with probability {self.least_probability:.3g}.", *_versus(self)])


def _versus(found: Replayed) -> list[str]:
    said = []
    for way in found.bandits:
        assert way.gain is not None
        sure = "" if way.gain.lower > 0 or way.gain.upper < 0 else ": too close to call on this log"
        interval = f"{way.gain.level:.0%} interval {way.gain.lower:+.4g} to {way.gain.upper:+.4g}"
        said.append(f"The {way.name} earned {way.gain.value:+.4g} a visitor against the A/B test, {interval}{sure}.")
    return said
