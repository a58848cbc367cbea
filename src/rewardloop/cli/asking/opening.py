"""Opening the experiment that is meant: a YAML file is taken in. Nothing is made on disk for a name that is not known."""

from __future__ import annotations

from pathlib import Path

from rewardloop.cli.asking.meant import known_settings, require_data, settings_of
from rewardloop.cli.telling.changed import tell_changes
from rewardloop.loop.experiment import Experiment, experiment_of


def open_experiment(config: str, data: Path) -> Experiment:
    """An experiment given by name or by file; a file's settings are taken in, and said where they were others before."""
    settings = settings_of(config, data)
    before = known_settings(settings.experiment, data)
    opened = Experiment.open(settings, data)
    tell_changes(before, settings)
    return opened


def open_event(event_id: str, experiment: str | None, data: Path, *, or_only: bool = False) -> Experiment:
    """The experiment of an event: the one named, the one the id tells or, if `or_only`, the only one. Raises `UnknownEvent`."""
    require_data(data, experiment or "")
    return open_experiment(experiment or experiment_of(event_id, data, or_only=or_only), data)
