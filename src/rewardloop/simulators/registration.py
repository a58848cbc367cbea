"""The table of environments, told to gymnasium."""

from __future__ import annotations

import gymnasium

from rewardloop.simulators.catalogue import catalogue


def register() -> None:
    """Every entry of the catalogue under its id; those already there stay. Ours check their own input and order of calls."""
    for entry in catalogue():
        if entry.id not in gymnasium.registry:
            gymnasium.register(
                entry.id, entry.entry_point, kwargs=dict(entry.arguments), order_enforce=False, disable_env_checker=True
            )
