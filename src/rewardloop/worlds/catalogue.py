"""The worlds by name: bundled data sets, simulators, a file. One place to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rewardloop.worlds.bundled import bundled, bundled_names
from rewardloop.worlds.cascade import RANKED, RankedWorld
from rewardloop.worlds.classification import from_file
from rewardloop.worlds.simulators import SIMULATORS
from rewardloop.worlds.stream import World

SIMULATED: Final = (*SIMULATORS, *RANKED)
"""Names of those that are made up."""


def find_world(name: str, label: str | None = None) -> World | RankedWorld:
    """A world by its name, or by the file it is in (`label` names its column). Raises `InvalidInput`.

    >>> find_world("sim:static").name, find_world("sim:cascade").top_k
    ('sim:static', 5)
    """
    if name in SIMULATED:
        return SIMULATORS[name] if name in SIMULATORS else RANKED[name]
    path = Path(name)
    return from_file(path, label) if path.suffix and path.exists() else bundled(name)


def world_names() -> tuple[str, ...]:
    """All that need no file."""
    return (*bundled_names(), *SIMULATED)
