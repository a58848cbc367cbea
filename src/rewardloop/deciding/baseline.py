"""The baseline's decisions (`mode: apprentice | logging_only`): one action, known beforehand, with probability 1.

The decision's variant says which rule was served, so that a replay needs nothing but the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from rewardloop.actions import ActionSet
from rewardloop.events import APPRENTICE, LOGGING_ONLY
from rewardloop.settings import ExperimentSettings


class Baseline(NamedTuple):
    """Serves the action `name` where it may be chosen; otherwise, or without a name, the first that is not excluded."""

    mode: str
    name: str = ""

    @classmethod
    def of_settings(cls, settings: ExperimentSettings) -> Self | None:
        """None where models decide."""
        return None if settings.mode == "online" else cls(settings.mode, settings.baseline or "")

    @classmethod
    def of_variant(cls, variant: str) -> Self | None:
        """The rule that a logged decision was made by; None where a model made it."""
        mode, _, name = variant.partition(":")
        return cls(mode, name) if mode in {APPRENTICE, LOGGING_ONLY} else None

    @property
    def variant(self) -> str:
        """As logged: `apprentice`, or `apprentice:NAME`.

        >>> Baseline.of_variant(Baseline("apprentice", "a:b").variant)
        Baseline(mode='apprentice', name='a:b')
        """
        return f"{self.mode}:{self.name}" if self.name else self.mode

    def pmf(self, actions: ActionSet, excluded: Sequence[int]) -> tuple[float, ...]:
        """One-hot. At least one action is not excluded."""
        allowed = [i for i in range(len(actions)) if i not in excluded]
        chosen = next((i for i in allowed if actions.ids[i] == self.name), allowed[0])
        return tuple(float(i == chosen) for i in range(len(actions)))
