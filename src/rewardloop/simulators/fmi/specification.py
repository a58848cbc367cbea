"""What an environment on a functional mock-up unit is made of. Observations, terms and rules are those of EnergyPlus's
specifications.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from rewardloop.errors import InvalidSettings, did_you_mean
from rewardloop.settings.document import MAX_BYTES
from rewardloop.settings.schema import Real, Section, said
from rewardloop.simulators.energyplus.loading import read_as
from rewardloop.simulators.energyplus.specification import Observation, Rule, Term, Word


class Input(Section, frozen=True, kw_only=True):
    """One number of the agent, from 0 to 1, and what it means between `low` and `high`."""

    variable: Annotated[Word, said("An input of the unit.")]
    low: Annotated[Real, said("Value at 0.")]
    high: Annotated[Real, said("Value at 1.")]


class Episode(Section, frozen=True, kw_only=True):
    """How long an episode is."""

    steps: Annotated[int, Meta(ge=1, le=10_000_000), said("Steps.")]
    step_s: Annotated[float, Meta(gt=0, le=1e9), said("Seconds of the unit's time a step.")]


class Specification(Section, frozen=True, kw_only=True):
    """An environment."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z"), said("What it is called.")]
    about: Annotated[str, said("A sentence on the task.")] = ""
    source: Annotated[str, said("Where unit and task come from.")] = ""
    fmu: Annotated[Word, said("Path of the .fmu, from the file's directory.")]
    episode: Episode
    start: Annotated[dict[Word, Real], said("Variables and parameters set before the start.")] = msgspec.field(default_factory=dict)
    drawn: Annotated[
        dict[Word, tuple[Real, Real]], said("The same, drawn anew for each episode: [low, high], uniform, by the seed.")
    ] = msgspec.field(default_factory=dict)
    observations: Annotated[tuple[Observation, ...], Meta(min_length=1, max_length=500)]
    actions: Annotated[dict[Word, Input], Meta(min_length=1, max_length=100)]
    reward: Annotated[dict[Word, Term], Meta(min_length=1, max_length=50)]
    rules: Annotated[dict[Word, Rule], said("Action → rule, for all or none: a baseline.")] = msgspec.field(default_factory=dict)

    @property
    def read(self) -> tuple[str, ...]:
        """Every variable that is read, once."""
        terms = [name for term in self.reward.values() for name in (*term.of, *([term.when] if term.when else []))]
        return tuple(dict.fromkeys([*(one.of for one in self.observations), *terms]))


def load_specification(path: Path) -> Specification:
    """A specification from a file; the unit's path is from the file's own directory. Raises `InvalidSettings`."""
    try:
        text = path.read_bytes()[: MAX_BYTES + 1].decode()
    except OSError as error:
        raise InvalidSettings(f"Expected a file of an environment at {path}, got: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"Expected UTF-8 in {path}, got other bytes") from None
    specification, document = read_as(text, path.name, Specification)
    for place, sentence in _problems(specification):
        raise document.refuse(sentence, place)
    return msgspec.structs.replace(specification, fmu=str((path.parent / specification.fmu).resolve()))


def _problems(it: Specification) -> Iterator[tuple[str, str]]:
    for i, one in enumerate(it.observations):
        if one.low >= one.high:
            yield f"$.observations[{i}]", f"Expected low below high, got {one.low:g} and {one.high:g}"
    for name, action in it.actions.items():
        if action.low == action.high:
            yield f"$.actions.{name}", f"Expected two different values, got {action.low:g} twice"
    for name, (low, high) in it.drawn.items():
        if low > high:
            yield f"$.drawn.{name}", f"Expected low, then high, got {low:g} and {high:g}"
    for name, term in it.reward.items():
        if term.band is not None and term.band[0] > term.band[1]:
            yield f"$.reward.{name}.band", "Expected low, then high"
    yield from _rule_problems(it)


def _rule_problems(it: Specification) -> Iterator[tuple[str, str]]:
    observed = [one.of for one in it.observations]
    for name, rule in it.rules.items():
        if name not in it.actions:
            yield f"$.rules.{name}", f"Unknown action `{name}`{did_you_mean(name, it.actions)}"
        if rule.by not in observed:
            yield f"$.rules.{name}.by", f"Unknown observation `{rule.by}`{did_you_mean(rule.by, observed)}"
        if any(a[0] >= b[0] for a, b in zip(rule.points, rule.points[1:], strict=False)):
            yield f"$.rules.{name}.points", "Expected ascending points"
    if it.rules and set(it.rules) != set(it.actions):
        yield "$.rules", "Expected a rule for every action, or none"
