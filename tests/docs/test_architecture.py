"""The map of the house leads somewhere: every file it names is there, and the largest folders' modules are on their maps."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rewardloop"
MAPPED = [
    "cli.asking", "cli.telling", "client", "comparing", "compat.personalizer", "compat.sagemaker", "deciding", "evaluation",
    "evaluation.documents", "evaluation.estimators", "evaluation.explanations", "evaluation.gate", "evaluation.planning",
    "evaluation.randomised", "evaluation.rankings", "evaluation.reward_models", "exchange", "exchange.dsjson",
    "exchange.joined", "exchange.obp", "exchange.open_bandit", "exchange.vw", "lake", "log", "loop", "loop.experiment",
    "loop.scoring", "loop.trials", "policies", "policies.design", "policies.native", "policies.regressions", "policies.vw",
    "registry", "rl", "rl.logged", "rl.offline", "rl.playing", "rl.rllib", "rl.runs", "rl.sb3", "rl.tuning", "serving",
    "settings", "simulators.energyplus", "testbed", "worlds",
]  # fmt: skip


def test_every_file_it_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = [name for name in re.findall(r"`([\w/*.]+\.py|[\w/]+/)`", page) if name != "cli/NAME.py"]
    assert len(named) > 15
    assert [name for name in named if not any(SOURCE.rglob(name))] == []


@pytest.mark.parametrize("name", MAPPED)
def test_every_module_is_on_the_map_of_its_folder(name: str) -> None:
    folder, map_of = SOURCE.joinpath(*name.split(".")), import_module(f"rewardloop.{name}").__doc__
    assert map_of is not None
    named = set(re.findall(r"`(\w+)`", map_of.split("\n\n", 1)[1]))
    modules = {path.stem for path in folder.glob("*") if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert named == modules - {"__init__"}
