"""Remote environments in the table of environments."""

from __future__ import annotations

from typing import Final

from rewardloop.simulators.entry import Entry

ENTRIES: Final = (
    Entry(
        id="rewardloop/Remote-v0",
        about="A simulator that runs elsewhere and connects; as --env remote:PORT. docs/remote-environments.md is the protocol.",
        observation="as the simulator says",
        action="as the simulator says",
        reward="as the simulator says",
        source="Any language that has WebSockets; Python and JavaScript clients come along",
        entry_point="rewardloop.simulators.remote.environment:connected",
        extra="rl",
    ),
)
