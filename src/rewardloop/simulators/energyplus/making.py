"""An environment by name or by file, with the few things one may change without writing a specification."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import get_args

import msgspec

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.simulators.energyplus.checks import problems
from rewardloop.simulators.energyplus.effects import check_effects
from rewardloop.simulators.energyplus.environment import EnergyPlusEnv, Use
from rewardloop.simulators.energyplus.loading import load_specification
from rewardloop.simulators.energyplus.shipped import bundled
from rewardloop.simulators.energyplus.simulator import Mode, Simulator
from rewardloop.simulators.energyplus.specification import Episode, Forecast, Reach, Specification


def made(
    specification: str,
    *,
    use: Use = "train",
    mode: Mode = "auto",
    days: int | None = None,
    start_days: Sequence[int] | None = None,
    forecast_hours: Sequence[int] | None = None,
    hold: int | None = None,
    reach: float | None = None,
    relative: bool = False,
    weights: Mapping[str, float] | None = None,
    check: bool | None = None,
    simulator: Simulator | None = None,
) -> EnergyPlusEnv:
    """What `gymnasium.make` calls; `specification` is the name of one that comes along, or a YAML file.

    In place of what that says: length and start of episodes, the forecast, how many time steps an action lasts (`hold`), how far
    actions may correct the rules (`reach`), rewards less those of the schedules (`relative`), other weights of the reward's terms
    (`weights`).

    `check`: each actuator is first shown to change something, which takes some warm-ups; so it is done, unless said otherwise, with
    a file of your own, once a process, and not with what comes along.
    """
    it = specified(specification, days=days, start_days=start_days, forecast_hours=forecast_hours, hold=hold, reach=reach)
    _check_words(use, mode, relative)
    if _is_file(specification) if check is None else check:
        _check_once(msgspec.json.encode(it), _version(it.building), mode)
    if weights:
        it = _weighted(it, weights)
    if relative:
        it = msgspec.structs.replace(it, relative=True)
    return EnergyPlusEnv(it, use=use, mode=mode, simulator=simulator)


@lru_cache(maxsize=8)
def _check_once(specification: bytes, version: tuple[int, int], mode: Mode) -> None:
    """Trainings and evaluations make an environment again and again: the same building is not tried anew each time."""
    with Simulator(msgspec.json.decode(specification, type=Specification), mode) as simulator:
        check_effects(simulator)


def _version(building: str) -> tuple[int, int]:
    """Of the file; one that comes along has none."""
    path = Path(building)
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else (0, 0)


def _check_words(use: object, mode: object, relative: object) -> None:
    """They come from a command line: `use: tets` would otherwise be found out by an attribute that is missing."""
    for name, value, known in (("use", use, get_args(Use)), ("mode", mode, get_args(Mode)), ("relative", relative, (False, True))):
        if not any(value is one or (isinstance(value, str) and value == one) for one in known):
            words = ", ".join(f"`{str(one).lower()}`" for one in known)
            raise InvalidInput(f"Expected one of {words}, got `{str(value)[:80]}`", at=f"$.{name}")


def _weighted(it: Specification, weights: Mapping[str, float]) -> Specification:
    if not isinstance(weights, Mapping):
        raise InvalidInput(f"Expected term → weight, got `{str(weights)[:80]}`", at="$.weights")
    for name, weight in weights.items():
        if name not in it.reward:
            raise InvalidInput(f"Unknown term of the reward `{name[:80]}`{did_you_mean(name, it.reward)}", at="$.weights")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise InvalidInput(f"Expected a number, got `{weight}`", at=f"$.weights.{name}")
    terms = {name: msgspec.structs.replace(term, weight=float(weights.get(name, term.weight))) for name, term in it.reward.items()}
    return msgspec.structs.replace(it, reward=terms)


def _is_file(environment: str) -> bool:
    return environment.endswith((".yaml", ".yml"))


def specified(
    environment: str,
    *,
    days: int | None = None,
    start_days: Sequence[int] | None = None,
    forecast_hours: Sequence[int] | None = None,
    hold: int | None = None,
    reach: float | None = None,
) -> Specification:
    """The specification of a name or a YAML file, changed as said; raises `InvalidInput` for what its bounds exclude.

    >>> specified("DataCenter-1Zone", forecast_hours=[1, 3]).forecast.hours
    (1, 3)
    """
    it = load_specification(Path(environment)) if _is_file(environment) else bundled(environment)
    episode = {"days": days, "start_days": start_days and tuple(start_days), "hold": hold}
    changed = msgspec.structs.replace(it.episode, **{key: value for key, value in episode.items() if value is not None})
    forecast = it.forecast if forecast_hours is None else Forecast(hours=tuple(forecast_hours))
    try:
        it = msgspec.structs.replace(
            it,
            reach=it.reach if reach is None else msgspec.convert(reach, Reach),
            episode=msgspec.convert(msgspec.to_builtins(changed), Episode),
            forecast=msgspec.convert(msgspec.to_builtins(forecast), Forecast),
        )
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from None
    for path, sentence in problems(it):
        raise InvalidInput(sentence, at=path)
    return it
