"""Reading an experiment's YAML for a command: what was ignored in it is said once, by name."""

from __future__ import annotations

from pathlib import Path

from rewardloop.cli.printing import warnings
from rewardloop.settings import ExperimentSettings, load_settings


def load(path: Path) -> ExperimentSettings:
    """The settings in a file; raises `InvalidSettings`."""
    loaded = load_settings(path)
    if loaded.ignored:
        warnings.print(f"[yellow]{path}: ignored, because nothing here corresponds:[/] {', '.join(loaded.ignored)}")
    return loaded.settings
