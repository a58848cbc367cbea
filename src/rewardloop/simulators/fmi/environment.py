"""A functional mock-up unit as a gymnasium environment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from rewardloop.errors import Conflict, InvalidInput, SimulatorFailed
from rewardloop.simulators.energyplus.reading import COUNTS_ABOVE, Band
from rewardloop.simulators.energyplus.specification import Rule, Term
from rewardloop.simulators.fmi.specification import Specification, load_specification
from rewardloop.simulators.fmi.unit import Unit

Observed = NDArray[np.float32]
_NEAR = 1e-5


class FmuEnv(gymnasium.Env[Observed, Observed]):
    """One unit, one episode at a time; an action is a number from 0 to 1 for each of the specification's.

    `info` has `reward_terms` (name → value) and `applied` (values of the inputs). Raises `InvalidInput` on load for a variable
    that the unit does not have, with the nearest; `SimulatorFailed` with the unit's own words where it fails or shows what is no
    number.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 # the base class says so

    def __init__(self, specification: Specification) -> None:
        self.specification = it = specification
        low, high = (np.array([getattr(one, side) for one in it.observations], dtype=np.float32) for side in ("low", "high"))
        self._lowest, self._highest = low, high
        self.observation_space = Box(low, high, dtype=np.float32)
        self.action_space = Box(0.0, 1.0, (len(it.actions),), dtype=np.float32)
        self._low = np.array([action.low for action in it.actions.values()])
        self._span = np.array([action.high for action in it.actions.values()]) - self._low
        index = {name: i for i, name in enumerate(it.read)}
        self._shown = [index[one.of] for one in it.observations]
        self._terms = [(term.weight, _value(term, index)) for term in it.reward.values()]
        self._unit = Unit(it.fmu)
        try:
            self._read = self._unit.references(it.read, "$.observations")
            self._inputs = self._unit.references([one.variable for one in it.actions.values()], "$.actions", input=True)
            self._start = dict(zip(self._unit.references(list(it.start), "$.start", written=True), it.start.values(), strict=True))
            self._drawn = self._unit.references(list(it.drawn), "$.drawn", written=True)
        except BaseException:
            self._unit.close()
            raise
        self._n, self._running = 0, False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observed, dict[str, Any]]:
        super().reset(seed=seed)
        drawn = [float(self.np_random.uniform(low, high)) for low, high in self.specification.drawn.values()]
        values = {**self._start, **dict(zip(self._drawn, drawn, strict=True))}
        first = [values.get(reference, middle) for reference, middle in zip(self._inputs, self._low + self._span / 2, strict=True)]
        self._unit.start(values, dict(zip(self._inputs, first, strict=True)))
        self._n, self._running = 0, True
        return self._look(self._row()), {}

    def step(self, action: Observed) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """One step; `terminated` never is, `truncated` after the last."""
        if not self._running:
            raise Conflict("No episode is running: call reset() first")
        applied = (self._low + self._span * self._checked(action)).tolist()
        self._unit.write(self._inputs, applied)
        self._unit.step(self.specification.episode.step_s)
        row = self._row()
        self._n += 1
        self._running = self._n < self.specification.episode.steps
        terms = [weight * value(row) for weight, value in self._terms]
        info = {"reward_terms": dict(zip(self.specification.reward, terms, strict=True)), "applied": applied}
        return self._look(row), sum(terms), False, not self._running, info

    def baselines(self) -> Mapping[str, Callable[[Observed], Observed]]:
        """`middle`, and `rules` where the specification has any."""
        middle = np.full(len(self._inputs), 0.5, dtype=np.float32)
        found: dict[str, Callable[[Observed], Observed]] = {"middle": lambda _: middle}
        return {**found, "rules": self._ruled} if self.specification.rules else found

    def close(self) -> None:
        self._running = False
        self._unit.close()

    def _ruled(self, observation: Observed) -> Observed:
        observed = [one.of for one in self.specification.observations]
        rules = [self.specification.rules[name] for name in self.specification.actions]
        values = np.array([_on_line(rule, float(observation[observed.index(rule.by)])) for rule in rules])
        within: Observed = np.clip((values - self._low) / self._span, 0, 1).astype(np.float32)
        return within

    def _checked(self, action: Observed) -> NDArray[np.float64]:
        given = np.asarray(action, dtype=np.float64)
        if given.shape != self.action_space.shape or not np.all((given >= -_NEAR) & (given <= 1 + _NEAR)):
            raise InvalidInput(f"Expected {len(self._inputs)} numbers from 0 to 1, got {action!r:.100}", at="$.action")
        return given.clip(0, 1)

    def _row(self) -> list[float]:
        row = self._unit.read(self._read)
        if not all(map(math.isfinite, row)):
            bad = [name for name, value in zip(self.specification.read, row, strict=True) if not math.isfinite(value)]
            self._running = False
            raise SimulatorFailed(f"Expected finite readings of the unit, got others of {', '.join(bad)}")
        return row

    def _look(self, row: list[float]) -> Observed:
        seen = np.array([row[i] for i in self._shown], dtype=np.float32)
        within: Observed = np.clip(seen, self._lowest, self._highest)
        return within


def _value(term: Term, index: Mapping[str, int]) -> Callable[[list[float]], float]:
    columns, when = tuple(index[name] for name in term.of), None if term.when is None else index[term.when]
    if term.band is not None:
        return Band(columns, *term.band, when).outside
    return lambda row: sum(row[i] for i in columns) if when is None or row[when] > COUNTS_ABOVE else 0.0


def _on_line(rule: Rule, observed: float) -> float:
    return float(np.interp(observed, [x for x, _ in rule.points], [value for _, value in rule.points]))


def made(specification: str) -> FmuEnv:
    """What `gymnasium.make("rewardloop/Fmu-v0", specification="tank.yaml")` calls."""
    return FmuEnv(load_specification(Path(specification)))
