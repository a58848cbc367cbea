"""The map of the house leads somewhere: every file it names is there, and every module of `loop` is on its map."""

from __future__ import annotations

import re
from pathlib import Path

import rewardloop.loop

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rewardloop"


def test_every_file_it_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = [name for name in re.findall(r"`([\w/*.]+\.py|[\w/]+/)`", page) if name != "cli/NAME.py"]
    assert len(named) > 15
    assert [name for name in named if not any(SOURCE.rglob(name))] == []


def test_every_module_of_the_loop_is_on_its_map() -> None:
    assert rewardloop.loop.__doc__ is not None
    named = set(re.findall(r"`(\w+)`", rewardloop.loop.__doc__))
    assert named == {path.stem for path in (SOURCE / "loop").glob("*.py")} - {"__init__"}
