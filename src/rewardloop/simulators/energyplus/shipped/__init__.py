"""The environments on EnergyPlus that come along: a YAML each in this directory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from rewardloop.errors import NotFound, did_you_mean
from rewardloop.simulators.energyplus.loading import parse_specification
from rewardloop.simulators.energyplus.specification import Specification, Term
from rewardloop.simulators.entry import Entry

NAMES = ("DataCenter-1Zone", "DataCenter-2Zones", "LargeOffice", "MediumOffice")


def bundled(name: str) -> Specification:
    """A specification that comes along.

    >>> bundled("DataCenter-1Zone").actions["cooling"].high
    35.0
    >>> bundled("DataCenter-3Zones")
    Traceback (most recent call last):
    rewardloop.errors.NotFound: Unknown environment `DataCenter-3Zones`; did you mean `DataCenter-2Zones`?
    """
    if name not in NAMES:
        raise NotFound(f"Unknown environment `{name[:80]}`{did_you_mean(name, NAMES)}")
    return parse_specification((files(__package__) / f"{name}.yaml").read_text(), f"{name}.yaml")


def entries() -> Iterator[Entry]:
    for name in NAMES:
        it = bundled(name)
        yield Entry(
            id=f"rewardloop/{name}-v0",
            about=it.about,
            observation=f"{len(it.observations)} numbers: {', '.join(one.of for one in it.observations)}",
            action=", ".join(f"{name} {action.low:g}–{action.high:g}" for name, action in it.actions.items()) + " (each as 0–1)",
            reward=", ".join(_spelled(term) for term in it.reward.values()),
            source=it.source,
            entry_point="rewardloop.simulators.energyplus.making:made",
            arguments={"specification": name},
            extra="energyplus",
        )


def own_building() -> Entry:
    return Entry(
        id="rewardloop/Building-v0",
        about="A building of your own and a YAML about it: --env-param specification=hall.yaml. docs/hvac.md explains.",
        observation="sensors, as the specification says",
        action="actuators, as the specification says (each as 0–1)",
        reward="the specification's terms",
        source="EnergyPlus; an epJSON or IDF file, or one of the reference buildings of its package",
        entry_point="rewardloop.simulators.energyplus.making:made",
        extra="energyplus",
    )


def _spelled(term: Term) -> str:
    of = " + ".join(term.of) if len(term.of) < 4 else f"{len(term.of)} sensors"
    outside = "" if term.band is None else f" outside {term.band[0]:g}–{term.band[1]:g}"
    return f"{term.weight:g} × {of}{outside}"
