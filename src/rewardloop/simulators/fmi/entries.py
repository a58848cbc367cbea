"""Functional mock-up units in the table of environments."""

from __future__ import annotations

from typing import Final

from rewardloop.simulators.entry import Entry

ENTRIES: Final = (
    Entry(
        id="rewardloop/Fmu-v0",
        about="A functional mock-up unit and a YAML about it: --env-param specification=tank.yaml. docs/fmi.md explains.",
        observation="outputs, as the specification says",
        action="inputs, as the specification says (each as 0–1)",
        reward="the specification's terms",
        source="FMI 2.0 and 3.0, co-simulation, through FMPy",
        entry_point="rewardloop.simulators.fmi.environment:made",
        extra="fmi",
    ),
)
