"""Buildings by name or by path, as epJSON. An .idf is converted by EnergyPlus itself, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rewardloop.errors import InvalidSettings, did_you_mean
from rewardloop.scratch import Scratch
from rewardloop.simulators.energyplus.buildings.data_centre import one_zone, two_zones
from rewardloop.simulators.energyplus.package import reference_buildings
from rewardloop.zygote.model import Objects

_WRITTEN: dict[str, Callable[[], Objects]] = {"data-centre-one-zone": one_zone, "data-centre-two-zones": two_zones}
_CONVERT = (
    "import sys; from pyenergyplus.api import EnergyPlusAPI as A; a = A();"
    "sys.exit(a.runtime.run_energyplus(a.state_manager.new_state(), ['--convert-only', '-d', *sys.argv[1:]]))"
)
CONVERT_TIMEOUT_S = 120


def building(name: str) -> Objects:
    """The epJSON of a building; raises `InvalidSettings` for one that is not there or does not parse.

    >>> sorted(building("data-centre-two-zones")["Zone"])
    ['East', 'West']
    >>> building("large-offices")
    Traceback (most recent call last):
    rewardloop.errors.InvalidSettings: Unknown building `large-offices`; did you mean `large-office`? - at `$.building`
    """
    if name in _WRITTEN:
        return _WRITTEN[name]()
    reference = reference_buildings()
    path = Path(reference.get(name, name))
    if path.suffix.lower() not in (".idf", ".epjson"):
        raise InvalidSettings(f"Unknown building `{name[:80]}`{did_you_mean(name, [*_WRITTEN, *reference])}", at="$.building")
    if not path.is_file():
        raise InvalidSettings(f"Expected a building, got nothing at {path}: check the path", at="$.building")
    return _converted(path) if path.suffix.lower() == ".idf" else _parsed(path)


def _parsed(path: Path) -> Objects:
    try:
        tree = json.loads(path.read_bytes())
    except (ValueError, OSError, RecursionError) as error:
        raise InvalidSettings(f"Expected epJSON in {path}, got something else: {error}", at="$.building") from None
    if not _is_objects(tree):
        raise InvalidSettings(f"Expected epJSON in {path}: type → name → fields; got another shape", at="$.building")
    objects: Objects = tree
    return objects


def _is_objects(tree: object) -> bool:
    return isinstance(tree, dict) and all(
        isinstance(objects, dict) and all(isinstance(fields, dict) for fields in objects.values()) for objects in tree.values()
    )


def _converted(path: Path) -> Objects:
    with Scratch() as place:
        try:
            subprocess.run(
                [sys.executable, "-c", _CONVERT, str(place), str(path.resolve())],
                capture_output=True,
                timeout=CONVERT_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InvalidSettings(f"Expected a building in {path}, got one that EnergyPlus cannot read", at="$.building") from None
        made = place / f"{path.stem}.epJSON"
        if not made.exists():
            errors = place / "eplusout.err"
            said = errors.read_text(errors="replace") if errors.exists() else "nothing"
            raise InvalidSettings(f"Expected a building in {path}; EnergyPlus says: {quoted(said)}", at="$.building")
        objects: Objects = json.loads(made.read_bytes())
        if not _is_objects(objects) or "Zone" not in objects:
            raise InvalidSettings(f"Expected a building in {path}, got a file without a zone; is it an IDF?", at="$.building")
        return objects


def quoted(errors: str) -> str:
    """What matters of an .err file, on one line: its severe and fatal lines with what follows each, the last first, 600 characters.

    >>> quoted("   ** Warning ** a\\n   ** Severe  ** no such zone\\n   **   ~~~   ** in Hall\\n   **  Fatal  ** stops\\n")
    'Fatal: stops Severe: no such zone in Hall'
    """
    blocks = list[str]()
    following = False
    for line in errors.splitlines():
        mark, _, rest = (part.strip() for part in line.strip().removeprefix("**").partition("**"))
        if mark == "~~~" and following:
            blocks[-1] += f" {rest}"
        elif following := mark in ("Severe", "Fatal"):
            blocks.append(f"{mark}: {rest}")
    return " ".join(" ".join(reversed(blocks)).split())[:600] or " ".join(errors.split())[-300:]
