"""What a trained policy must beat: the building's own schedules, a constant, an engineer's rules. Observation → action, or None.

A controller says `act(observation)`; None leaves the step to the schedules. `baselines` makes those of a specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rewardloop.simulators.energyplus.commands import Commander
from rewardloop.simulators.energyplus.specification import Rule, Specification

Observed = NDArray[np.float32]


class Controller(Protocol):
    """Laws: the same observation gives the same action; every action has numbers from 0 to 1, as many as the specification's."""

    def act(self, observation: Observed) -> Observed | None: ...


class Scheduled:
    """The building as it was designed."""

    def act(self, observation: Observed) -> Observed | None:
        return None


class Constant:
    """One action for ever."""

    def __init__(self, action: Observed) -> None:
        self._action = np.asarray(action, dtype=np.float32)

    def act(self, observation: Observed) -> Observed | None:
        return self._action


class Ruled:
    """The specification's `rules`: each set-point a line with corners over one observation."""

    def __init__(self, specification: Specification) -> None:
        observed = [one.of for one in specification.observations]
        self._commander = Commander(specification)
        self._rules = [
            (observed.index(rule.by), *_line(rule)) for rule in map(specification.rules.__getitem__, specification.actions)
        ]

    def act(self, observation: Observed) -> Observed | None:
        return self._commander.action([float(np.interp(observation[index], at, value)) for index, at, value in self._rules])


def _line(rule: Rule) -> tuple[list[float], list[float]]:
    return [x for x, _ in rule.points], [value for _, value in rule.points]


def baselines(specification: Specification) -> Mapping[str, Controller]:
    """By name: `schedule`, `middle` (0.5 everywhere), and `rules` where the specification has any; where actions correct the
    rules, those are the middle.

    >>> from rewardloop.simulators.energyplus.shipped import bundled
    >>> sorted(baselines(bundled("DataCenter-1Zone")))
    ['middle', 'rules', 'schedule']
    """
    middle = Constant(np.full(len(specification.actions), 0.5, dtype=np.float32))
    if specification.reach is not None:
        return {"schedule": Scheduled(), "rules": middle}
    made: dict[str, Controller] = {"schedule": Scheduled(), "middle": middle}
    return {**made, "rules": Ruled(specification)} if specification.rules else made
