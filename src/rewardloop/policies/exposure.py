"""How much of the traffic an action gets at least and at most, and how a new one is let in: from settings to limits of a decision.

`exploration` applies the limits. They depend on the actions on offer and on the instant alone, so a replay finds the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from rewardloop.settings import ExperimentSettings, ExposureRule


class Limits(NamedTuple):
    """Of each offered action's probability."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class Exposure(NamedTuple):
    """The rules in force, by action."""

    rules: dict[str, ExposureRule]

    @classmethod
    def of(cls, settings: ExperimentSettings) -> Self | None:
        """None where there are none."""
        return cls({rule.action: rule for rule in settings.exposure}) if settings.exposure else None

    def limits(self, ids: Sequence[str], at: int) -> Limits | None:
        """At an instant (microseconds UTC); None where no rule is about an offered action.

        >>> rules = {"a": ExposureRule(action="a", minimum=0.1), "b": ExposureRule(action="b", maximum=0.4)}
        >>> Exposure(rules).limits(("a", "b", "c"), at=0)
        Limits(low=(0.1, 0.0, 0.0), high=(1.0, 0.4, 1.0))
        """
        found = [self.rules.get(action) for action in ids]
        if not any(found):
            return None
        highest = [_highest(rule, at) if rule else 1.0 for rule in found]
        lowest = [min(rule.minimum, high) if rule else 0.0 for rule, high in zip(found, highest, strict=True)]
        return Limits(tuple(lowest), tuple(highest))


def _highest(rule: ExposureRule, at: int) -> float:
    """The maximum; while an action is let in, what grows evenly from `start` to it."""
    if rule.since is None:
        return rule.maximum
    passed = (at / 1e6 - rule.since.timestamp()) / (rule.over / 1e6)
    return min(rule.start, rule.maximum) + max(0.0, rule.maximum - rule.start) * min(max(passed, 0.0), 1.0)
