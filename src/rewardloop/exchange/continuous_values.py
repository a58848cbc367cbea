"""A continuous action of a raw row: its value, its density, and the cell of the range that it falls into."""

from __future__ import annotations

import math
from typing import NamedTuple

from rewardloop.cells import Cells
from rewardloop.errors import InvalidInput
from rewardloop.exchange.row_values import TOLERANCE, action_id, number, parsed
from rewardloop.exchange.rows import Values

NO_RANGE = "Expected a discrete action: a continuous one needs an experiment of `actions: {low, high, cells}`"


class Drawn(NamedTuple):
    """A continuous action, as far as a row tells."""

    value: float
    density: float
    cell: int
    probability: float | None
    """density · width of the cell: what makes the ratio of densities at the value that of the cells' probabilities."""


def drawn_value(values: Values, cells: Cells | None) -> Drawn | None:
    """None where the row names the cell only, or the actions are discrete."""
    if "values" not in values or (cells is None and "action" in values):
        return None
    if cells is None:
        raise InvalidInput(NO_RANGE, at="$.values")
    listed = parsed(values["values"], "$.values")
    value = number(
        {"values": listed[0] if isinstance(listed, list) and len(listed) == 1 else listed}, "values", -math.inf, math.inf
    )
    cell = cells.cell(value, "$.values")
    if values.get("density") is None:
        return Drawn(value, math.inf, cell, None)
    density = number(values, "density", 0, math.inf)
    if density == 0 or density * cells.width > 1 + TOLERANCE:
        most = f"{1 / cells.width:g}, 1 over the width of a cell"
        raise InvalidInput(f"Expected a density above 0, up to {most}, got {density:g}: more `cells` allow more", at="$.density")
    return Drawn(value, density, cell, min(density * cells.width, 1.0))


def cell_of(values: Values, drawn: Drawn) -> int:
    """The one that the row names, which rounding has not moved, or that of its value."""
    named = values.get("action")
    if named is None:
        return drawn.cell
    cell = int(text) - 1 if (text := action_id(named)).isdecimal() else -2
    if abs(cell - drawn.cell) > 1:
        raise InvalidInput("Expected `action` to be the cell of the value", at="$.action")
    return cell
