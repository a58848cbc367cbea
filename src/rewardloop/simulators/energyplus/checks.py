"""What no single type of a specification can say: that names lead somewhere and bounds have an inside. One sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rewardloop.errors import did_you_mean
from rewardloop.simulators.energyplus.clock import CLOCK
from rewardloop.simulators.energyplus.specification import Specification


class Problem(NamedTuple):
    path: str
    sentence: str


def problems(it: Specification) -> Iterator[Problem]:
    """Every contradiction; empty for a good specification."""
    yield from _sources(it)
    yield from _names(it)
    yield from _bounds(it)
    yield from _rules(it)


def _sources(it: Specification) -> Iterator[Problem]:
    for name, sensor in it.sensors.items():
        if (sensor.variable is None) == (sensor.meter is None):
            yield Problem(f"$.sensors.{name}", "Expected either `variable` or `meter`")
        if name in CLOCK:
            yield Problem(f"$.sensors.{name}", f"`{name}` is a name of the clock's: choose another")
        if sensor.foreseen and (sensor.variable or "").casefold() != "schedule value":
            yield Problem(f"$.sensors.{name}.foreseen", "Expected the variable `Schedule Value` to foresee: nothing else is known")


def _names(it: Specification) -> Iterator[Problem]:
    for index, observation in enumerate(it.observations):
        yield from _unknown("sensor", observation.of, [*it.sensors, *CLOCK], f"$.observations[{index}].of")
    for index, constraint in enumerate(it.constraints):
        for key in ("raised", "above"):
            yield from _unknown("action", getattr(constraint, key), it.actions, f"$.constraints[{index}].{key}")
    for name, term in it.reward.items():
        yield from _sensors(it, term.of, term.when, f"$.reward.{name}")
    yield from _sensors(it, it.comfort.of, it.comfort.when, "$.comfort")
    for key in ("total", "hvac", "it"):
        for index, name in enumerate(getattr(it.energy, key)):
            yield from _unknown("sensor", name, it.sensors, f"$.energy.{key}[{index}]")


def _sensors(it: Specification, of: tuple[str, ...], when: str | None, path: str) -> Iterator[Problem]:
    for index, name in enumerate(of):
        yield from _unknown("sensor", name, it.sensors, f"{path}.of[{index}]")
    if when is not None:
        yield from _unknown("sensor", when, it.sensors, f"{path}.when")


def _unknown(noun: str, word: str, known: Iterable[str], path: str) -> Iterator[Problem]:
    words = list(known)
    if word not in words:
        yield Problem(path, f"Unknown {noun} `{word[:80]}`{did_you_mean(word, words)}")


def _rules(it: Specification) -> Iterator[Problem]:
    observed = [one.of for one in it.observations]
    for name, rule in it.rules.items():
        yield from _unknown("action", name, it.actions, f"$.rules.{name}")
        yield from _unknown("observation", rule.by, observed, f"$.rules.{name}.by")
        at = [x for x, _ in rule.points]
        if at != sorted(set(at)):
            yield Problem(f"$.rules.{name}.points", "Expected points whose first numbers ascend")
    if it.reach is not None and not it.rules:
        yield Problem("$.reach", "Expected `rules` for actions to correct, got none")
    if it.rules and set(it.actions) - set(it.rules):
        yield Problem("$.rules", f"Expected a rule for each action, got none for `{min(set(it.actions) - set(it.rules))}`")


def _bounds(it: Specification) -> Iterator[Problem]:
    pairs = {f"$.observations[{index}]": (one.low, one.high) for index, one in enumerate(it.observations)}
    pairs |= {f"$.actions.{name}": (action.low, action.high) for name, action in it.actions.items()}
    pairs |= {f"$.reward.{name}.band": term.band for name, term in it.reward.items() if term.band is not None}
    pairs["$.comfort.band"] = it.comfort.band
    for path, (low, high) in pairs.items():
        if low >= high:
            yield Problem(path, f"Expected low < high, got {low:g} and {high:g}")
