"""The worlds by name: bundled data sets, simulators, a file. One place to add one to."""

from __future__ import annotations

from pathlib import Path

from rewardloop.worlds.bundled import bundled, bundled_names
from rewardloop.worlds.classification import from_file
from rewardloop.worlds.simulators import SIMULATORS
from rewardloop.worlds.stream import World


def find_world(name: str, label: str | None = None) -> World:
    """A world by its name, or by the file it is in (`label` names its column). Raises `InvalidInput`.

    >>> find_world("sim:static").arms.ids[:2]
    ('arm 1', 'arm 2')
    """
    if name in SIMULATORS:
        return SIMULATORS[name]
    path = Path(name)
    return from_file(path, label) if path.suffix and path.exists() else bundled(name)


def world_names() -> tuple[str, ...]:
    """All that need no file."""
    return (*bundled_names(), *SIMULATORS)
