"""What a trained policy is compared with: chance, a constant, the environment's own baselines, a function of one's own.

An environment offers baselines by a method `baselines()` that returns name → function from an observation to an action. An
EnergyPlus building follows its own schedules when it is given None instead of an action, and so may any that says
`follows_schedules = True`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rewardloop.errors import InvalidInput, NotFound, did_you_mean
from rewardloop.rl.answers import quoted
from rewardloop.rl.by_name import module_of
from rewardloop.rl.environments import Env, offered
from rewardloop.rl.toolkit import Masks
from rewardloop.simulators.energyplus.environment import EnergyPlusEnv

Rule = Callable[[Any], Any]
"""From an observation to an action."""
_BASELINES = "baselines"
_SCHEDULED = "follows_schedules"


class RandomActor:
    """Uniform over the action space, or over what is possible now. Its draws are a function of the episode's seed."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._space = space
        self._generator = np.random.default_rng(0)

    def begin(self, seed: int) -> None:
        self._generator = np.random.default_rng([seed, 1])
        self._space.seed(int(self._generator.integers(1 << 31)))

    def act(self, observation: Any, masks: Masks | None) -> Any:
        if masks is not None and isinstance(self._space, spaces.Discrete):
            return int(self._generator.choice(np.flatnonzero(masks))) + int(self._space.start)
        if masks is not None and isinstance(self._space, spaces.MultiDiscrete):
            return self._of_several(self._space, masks)
        return self._space.sample()

    def _of_several(self, space: spaces.MultiDiscrete, masks: Masks) -> Any:
        flags = np.split(masks, np.cumsum(space.nvec.ravel())[:-1])
        drawn = np.array([self._generator.choice(np.flatnonzero(each)) for each in flags], space.dtype)
        return drawn.reshape(space.shape) + space.start


class RuleActor:
    """Whatever a function says. Raises `InvalidInput` with its name where it fails.

    >>> RuleActor(lambda seen: seen[7], "rules:mine").act([0.5], None)
    Traceback (most recent call last):
    rewardloop.errors.InvalidInput: `rules:mine` failed: IndexError: list index out of range
    """

    def __init__(self, rule: Rule, name: str = "") -> None:
        self._rule = rule
        self._name = name

    def begin(self, seed: int) -> None:
        """A function has no memory."""

    def act(self, observation: Any, masks: Masks | None) -> Any:
        try:
            return self._rule(observation)
        except Exception as error:
            raise InvalidInput(f"`{self._name}` failed: {quoted(error)}") from error


def constant(action: Any) -> RuleActor:
    """Always the same action."""
    return RuleActor(lambda _: action)


def baselines_of(env: Env) -> dict[str, RuleActor]:
    """Those the environment offers, its built-in schedule first where it has one."""
    found: dict[str, RuleActor] = {}
    if isinstance(env.unwrapped, EnergyPlusEnv) or _attribute(env, _SCHEDULED):
        found["schedule"] = constant(None)
    rules = offered(env, _BASELINES, {})
    if not isinstance(rules, Mapping) or not all(map(callable, rules.values())):
        raise InvalidInput(f"Expected `{_BASELINES}` of the environment to return name → function, got {rules!r:.200}", at="--env")
    return found | {str(name): RuleActor(rule, str(name)) for name, rule in rules.items()}


def load_rule(name: str) -> RuleActor:
    """A function from an observation to an action, by `module:name`. Raises `NotFound`."""
    module, attribute = module_of(name, "--controller")
    rule = getattr(module, attribute, None)
    if not callable(rule):
        raise NotFound(
            f"Module `{name.partition(':')[0]}` has no function `{attribute}`{did_you_mean(attribute, vars(module))}",
            at="--controller",
        )
    return RuleActor(rule, name)


def _attribute(env: Env, name: str) -> Any:
    try:
        return env.get_wrapper_attr(name)
    except AttributeError:
        return None
