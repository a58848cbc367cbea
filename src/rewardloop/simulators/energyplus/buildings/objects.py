"""The shape of an epJSON document, and how parts of one are put together. Knows no building."""

from __future__ import annotations

from collections.abc import Iterable

from rewardloop.zygote.model import Model, Objects

ALWAYS = "Always on"
"""The schedule that is 1 at all times; every building written here has it."""


def named(key: str, kind: str, name: str, suffix: str) -> Model:
    """A reference as epJSON spells it.

    >>> named("controller_1", "Controller:OutdoorAir", "A", "object_type")
    {'controller_1_object_type': 'Controller:OutdoorAir', 'controller_1_name': 'A'}
    """
    return {f"{key}_{suffix}": kind, f"{key}_name": name}


def merged(parts: Iterable[Objects]) -> Objects:
    """One document of several parts.

    >>> merged([{"Zone": {"A": {}}}, {"Zone": {"B": {}}}])
    {'Zone': {'A': {}, 'B': {}}}
    """
    whole: Objects = {}
    for part in parts:
        for kind, objects in part.items():
            whole.setdefault(kind, {}).update(objects)
    return whole
