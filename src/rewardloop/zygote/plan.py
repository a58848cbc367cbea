"""What a simulator process is told once: which values to read, which to set, how long.

It is written as JSON beside the model, and read by the processes that a trainer starts.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

MODEL, PLAN = "model.epJSON", "plan.json"


@dataclass(frozen=True)
class Plan:
    """`variables`: (name, key); `meters`: names; `actuators`: (component type, control type, key). A reading is variables, then
    meters; a command is one number an actuator, NaN to leave it to the building's own schedule."""

    variables: tuple[tuple[str, str], ...]
    meters: tuple[str, ...]
    actuators: tuple[tuple[str, str, str], ...]
    days: int
    hold: int = 1
    """Time steps that a command lasts; their readings come together, one after another."""
    step_timeout_s: float = 60.0
    templates: int = 32
    """How many warmed-up simulators are kept; the one not used for longest goes."""

    def write(self, directory: Path) -> None:
        (directory / PLAN).write_text(json.dumps(asdict(self)))


def read_plan(directory: Path) -> Plan:
    """
    >>> import tempfile
    >>> plan = Plan((("Zone Mean Air Temperature", "Hall"),), (), (("Schedule:Constant", "Schedule Value", "A"),), 1)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     plan.write(Path(place))
    ...     read_plan(Path(place)) == plan
    True
    """
    raw = json.loads((directory / PLAN).read_text())
    pairs = {key: tuple(tuple(item) for item in raw[key]) for key in ("variables", "actuators")}
    return Plan(**{**raw, **pairs, "meters": tuple(raw["meters"])})
