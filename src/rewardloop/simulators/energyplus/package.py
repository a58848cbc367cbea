"""The package that carries EnergyPlus, asked for when it is needed: the table of environments must not need it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rewardloop.errors import MissingExtra

if TYPE_CHECKING:
    from pyenergyplus.api import EnergyPlusAPI


def weather_files() -> Mapping[str, str]:
    """Name → path of each weather file in the package."""
    files: Mapping[str, str] = _module("pyenergyplus.dataset").weather_files
    return files


def reference_buildings() -> Mapping[str, str]:
    """Name → path of each DOE reference building in the package."""
    paths: Mapping[str, str] = _module("pyenergyplus.dataset").ref_models
    return {name.replace("_", "-"): path for name, path in paths.items()}


def library() -> EnergyPlusAPI:
    """EnergyPlus itself, loaded into this process."""
    return _module("pyenergyplus.api").EnergyPlusAPI()


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtra("EnergyPlus is not installed: pip install 'rewardloop[energyplus]'") from None
