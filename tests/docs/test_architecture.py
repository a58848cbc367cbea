"""The map of the house leads somewhere: every file it names is there, and the largest folders' modules are on their maps."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import rewardloop.deciding
import rewardloop.loop
import rewardloop.loop.experiment
import rewardloop.loop.scoring
import rewardloop.loop.trials

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rewardloop"
FOLDERS = [rewardloop.deciding, rewardloop.loop, rewardloop.loop.experiment, rewardloop.loop.scoring, rewardloop.loop.trials]


def test_every_file_it_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = [name for name in re.findall(r"`([\w/*.]+\.py|[\w/]+/)`", page) if name != "cli/NAME.py"]
    assert len(named) > 15
    assert [name for name in named if not any(SOURCE.rglob(name))] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_is_on_the_map_of_its_folder(folder: ModuleType) -> None:
    assert folder.__doc__ is not None
    named, here = set(re.findall(r"`(\w+)`", folder.__doc__.split("\n\n", 1)[-1])), SOURCE.joinpath(*folder.__name__.split(".")[1:])
    assert named == {path.stem for path in here.glob("*") if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}
