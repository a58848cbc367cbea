"""An EnergyPlus building as a gymnasium environment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import gymnasium
import msgspec
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from rewardloop.errors import Conflict, InvalidInput, SimulatorFailed, did_you_mean
from rewardloop.simulators.energyplus.accounts import EpisodeAccount, StepAccount
from rewardloop.simulators.energyplus.beside import Beside, Rewards
from rewardloop.simulators.energyplus.clock import moment
from rewardloop.simulators.energyplus.commands import Commander
from rewardloop.simulators.energyplus.controllers import baselines
from rewardloop.simulators.energyplus.episode import Episode
from rewardloop.simulators.energyplus.forecasts import Forecasts
from rewardloop.simulators.energyplus.offsets import Offsets
from rewardloop.simulators.energyplus.reading import Interpreter, Row
from rewardloop.simulators.energyplus.simulator import Mode, Simulator
from rewardloop.simulators.energyplus.specification import Specification

Use = Literal["train", "test"]
Observed = NDArray[np.float32]
Info = dict[str, Any]
"""gymnasium's shape. Keys of ours: `account` (StepAccount), `reward_terms` (name → value), `applied` (values in the
building's units, None under its own schedules), `weather`, `day`; and with the last step `episode_account` (EpisodeAccount)."""

_OPTIONS = ("day", "weather")


class EnergyPlusEnv(gymnasium.Env[Observed, Observed]):
    """One building, one episode at a time.

    `step(None)` leaves everything to the building's own schedules: the built-in baseline. An action is a number from 0 to 1 for
    each of the specification's actions, and lasts `episode.hold` time steps. `use` says from which weather `reset` draws: that to
    train on, or the other. `simulator` is shared where one is given, and then not closed here.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 # the base class says so
    follows_schedules = True

    def __init__(
        self, specification: Specification, *, use: Use = "train", mode: Mode = "auto", simulator: Simulator | None = None
    ) -> None:
        self.specification = specification
        self._own = simulator is None
        self.simulator = simulator or Simulator(specification, mode)
        self._weathers: tuple[str, ...] = getattr(specification.weather, use)
        self._commander = Commander(specification)
        self._beside = Beside(self._scheduled) if specification.relative else None
        self._taken_off: Rewards = ()
        self._offsets = None if specification.reach is None else Offsets(specification, specification.reach)
        self._interpreter = Interpreter(specification, self.simulator.columns, self.simulator.steps_an_hour)
        self._forecasts = Forecasts(specification.forecast)
        bounds = [(one.low, one.high) for one in specification.observations] + self._forecasts.bounds
        low, high = (np.array(side, dtype=np.float32) for side in zip(*bounds, strict=True))
        self.observation_space = Box(low, high, dtype=np.float32)
        self.action_space = Box(0.0, 1.0, (len(specification.actions),), dtype=np.float32)
        self._episode: Episode | None = None
        self._n_steps, self._day, self._weather = 0, 1, self._weathers[0]
        self._account = EpisodeAccount()
        self._seen = low

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Observed, Info]:
        """Begins an episode, on a day and with weather drawn by the seed, or as `options` say: {"day": 190, "weather": "…"}."""
        super().reset(seed=seed)
        chosen = _checked(options or {})
        day = int(self.np_random.choice(self.specification.episode.start_days))
        weather = str(self.np_random.choice(self._weathers))
        self._day, self._weather = chosen.get("day", day), chosen.get("weather", weather)
        self._end()
        self._taken_off = self._beside.rewards(self._weather, self._day) if self._beside is not None else ()
        self._episode = self.simulator.begin(self._weather, self._day)
        self._n_steps, self._account = 0, EpisodeAccount()
        self._forecasts.begin(self._weather, self.np_random)
        rows = self._rows(self._episode.first)
        return self._observed(rows), {"day": self._day, "weather": self._weather}

    def step(self, action: Observed | None) -> tuple[Observed, float, bool, bool, Info]:
        """One time step. `terminated` never is; `truncated` after the last step of the episode."""
        applied = self.begin_step(action)
        return self.end_step(applied)

    def begin_step(self, action: Observed | None) -> list[float] | None:
        """Sends the action; the simulator computes while others are sent theirs. Returns the values it means."""
        episode = self._running()
        if action is None:
            episode.send(self._commander.released)
            return None
        moved = action if self._offsets is None else self._offsets.action(self._commander.shares(action), self._seen)
        applied = self._commander.values(moved)
        episode.send(self._commander.command(applied))
        return applied

    def end_step(self, applied: list[float] | None) -> tuple[Observed, float, bool, bool, Info]:
        """Waits for what came of it."""
        rows = self._rows(self._running().receive())
        self._n_steps += 1
        terms, account = self._judged(rows)
        reward = sum(terms)
        if self._taken_off:
            reward -= self._taken_off[self._n_steps - 1]
        info: Info = {
            "account": account,
            "reward_terms": dict(zip(self.specification.reward, terms, strict=True)),
            "applied": applied,
        }
        truncated = self._n_steps >= self.simulator.n_steps
        if truncated:
            info |= {"episode_account": self._account, "day": self._day, "weather": self._weather}
            self._end()
        return self._observed(rows), reward, False, truncated, info

    def clone_state(self) -> EnergyPlusEnv:
        """Another environment in this one's state, to be stepped and closed apart: for planning. Draws as this one would."""
        made = EnergyPlusEnv(self.specification, simulator=self.simulator)
        made._episode = self._running().clone()
        made._weathers, made._day, made._weather = self._weathers, self._day, self._weather
        made._n_steps, made._account, made._seen = self._n_steps, _copied(self._account), self._seen
        made._taken_off = self._taken_off
        made._forecasts = self._forecasts.copy()
        made.np_random = np.random.default_rng()
        made.np_random.bit_generator.state = self.np_random.bit_generator.state
        return made

    def baselines(self) -> Mapping[str, Callable[[Observed], Observed | None]]:
        """What else there is to beat than the schedules: `middle`, and `rules` where the specification has any."""
        return {name: one.act for name, one in baselines(self.specification).items() if name != "schedule"}

    def suggestions(self) -> dict[str, Any]:
        """Algorithm → how it learns this building well, as the specification says under `training`."""
        made: dict[str, Any] = msgspec.to_builtins(self.specification.training)
        return made

    def action_of(self, values: Mapping[str, float]) -> Observed:
        """The action that sets these values, in the building's units: {"cooling": 24.0, "heating": 15.0}. All of them."""
        if self._offsets is not None:
            raise Conflict("Actions correct the rules here: open the environment without `reach` to set values")
        for name in values:
            if name not in self._commander.names:
                raise InvalidInput(f"Unknown action `{name}`{did_you_mean(name, self._commander.names)}", at="$.action")
        if missing := [name for name in self._commander.names if name not in values]:
            raise InvalidInput(f"Expected a value for every action, got none for {', '.join(missing)}", at="$.action")
        return self._commander.action([values[name] for name in self._commander.names])

    def values_of(self, action: Observed) -> dict[str, float]:
        """What an action sets, in the building's units and within its constraints."""
        if self._offsets is not None:
            raise Conflict("Actions correct the rules here: open the environment without `reach` to read values")
        return dict(zip(self._commander.names, self._commander.values(action), strict=True))

    def close(self) -> None:
        self._end()
        if self._own:
            self.simulator.close()

    def _running(self) -> Episode:
        if self._episode is None:
            raise Conflict("No episode is running: call reset() first")
        return self._episode

    def _scheduled(self, weather: str, day: int) -> Rewards:
        """What the schedules earn from that day on, a reward an action."""
        episode = self.simulator.begin(weather, day)
        rewards: list[float] = []
        try:
            for _ in range(self.simulator.n_steps):
                episode.send(self._commander.released)
                rows = self._rows(episode.receive())
                rewards.append(sum(sum(self._interpreter.reward(row)) for row in rows))
        finally:
            episode.close()
        return rewards

    def _judged(self, rows: list[Row]) -> tuple[list[float], StepAccount]:
        """Terms of the reward and account of an action: sums over its time steps, each of which the episode's account has."""
        first, *more = [(self._interpreter.reward(row), self._interpreter.account(row)) for row in rows]
        terms, account = first
        self._account.add(account, sum(terms))
        for added, cost in more:
            self._account.add(cost, sum(added))
            terms, account = [one + other for one, other in zip(terms, added, strict=True)], account + cost
        return terms, account

    def _rows(self, reading: bytes) -> list[Row]:
        rows = self._interpreter.rows(reading)
        for row in rows:
            if not math.isfinite(sum(row)):
                bad = [name for name, value in zip(self.simulator.columns, row, strict=True) if not math.isfinite(value)]
                raise SimulatorFailed(f"Expected finite readings, got others of {', '.join(bad)}; reset to begin another episode")
        return rows

    def _observed(self, rows: list[Row]) -> Observed:
        """What is shown of the last time step."""
        at = moment(self._day, self._n_steps * self.simulator.plan.hold, self.simulator.steps_an_hour)
        values, foretold = self._interpreter.observation(rows[-1], at), self._forecasts.at(at)
        self._seen = np.array(values + foretold, dtype=np.float32)
        return self._seen

    def _end(self) -> None:
        if self._episode is not None:
            self._episode.close()
            self._episode = None


def _copied(account: EpisodeAccount) -> EpisodeAccount:
    return EpisodeAccount(*[getattr(account, name) for name in account.__struct_fields__])


def _checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    for key, value in options.items():
        if key not in _OPTIONS:
            raise InvalidInput(f"Unknown option `{key}`{did_you_mean(key, _OPTIONS)}", at="$.options")
        kind = int if key == "day" else str
        if not isinstance(value, kind):
            raise InvalidInput(f"Expected {kind.__name__}, got {type(value).__name__}", at=f"$.options.{key}")
    return options
