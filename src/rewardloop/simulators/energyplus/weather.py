"""Weather files: the ones that come along by name, any .epw by path, and what they say will be."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rewardloop.errors import InvalidSettings, did_you_mean
from rewardloop.simulators.energyplus.package import weather_files

_HEADER, _DRY_BULB = 8, 6
_HOURS = 8760


def weather_path(name: str, at: str = "$.weather") -> Path:
    """The file of a name or a path; raises `InvalidSettings`.

    >>> weather_path("usa_ca_san_francisco").suffix
    '.epw'
    >>> weather_path("usa_ca_sanfrancisco")
    Traceback (most recent call last):
    rewardloop.errors.InvalidSettings: Unknown weather `usa_ca_sanfrancisco`; did you mean `usa_ca_san_francisco`? - at `$.weather`
    """
    known = weather_files()
    if name in known:
        return Path(known[name])
    path = Path(name)
    if path.suffix.lower() != ".epw":
        raise InvalidSettings(f"Unknown weather `{name[:80]}`{did_you_mean(name, known) or _hint(known)}", at=at)
    if not path.is_file():
        raise InvalidSettings(f"Expected a weather file, got nothing at {path}: check the path", at=at)
    return path.resolve()


def _hint(known: Iterable[str]) -> str:
    return f"; expected a path of an .epw file or one of {', '.join(known)}"


@dataclass(frozen=True)
class Temperatures:
    """The outdoor dry-bulb of one year, hour by hour, in °C, shape (8760,)."""

    hourly_c: NDArray[np.float64] = field(repr=False)

    def at(self, hour_of_year: float) -> float:
        """Between two hours, linear; the year begins anew after its end. The value of a row is that of its hour's end."""
        whole = int(hour_of_year - 1)
        share = (hour_of_year - 1) - whole
        here, there = self.hourly_c[whole % _HOURS], self.hourly_c[(whole + 1) % _HOURS]
        return float(here + share * (there - here))


def read_temperatures(path: Path) -> Temperatures:
    """From an .epw file; raises `InvalidSettings` for one that has no year of them."""
    try:
        with path.open(newline="", encoding="latin-1") as file:
            rows = list(csv.reader(file))[_HEADER : _HEADER + _HOURS]
        hourly = np.array([float(row[_DRY_BULB]) for row in rows])
    except (OSError, ValueError, IndexError) as error:
        raise InvalidSettings(f"Expected an .epw file at {path}, got something else: {error}") from None
    if len(hourly) < _HOURS:
        raise InvalidSettings(f"Expected {_HOURS} hours of weather in {path}, got {len(hourly)}")
    return Temperatures(hourly)
