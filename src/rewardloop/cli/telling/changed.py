"""What a changed file changes of an experiment that is there already: said once, since whatever runs follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from rewardloop.cli.telling.printing import warn
from rewardloop.settings import ExperimentSettings, settings_to_json


def tell_changes(before: ExperimentSettings | None, now: ExperimentSettings) -> None:
    """Names the settings that are others than before, on standard error."""
    if before is not None and (keys := changed_keys(before, now)):
        warn(f"{now.experiment}: changed settings are in force now: {', '.join(keys)}")


def changed_keys(before: ExperimentSettings, now: ExperimentSettings) -> list[str]:
    """The keys whose values differ, as they are written.

    >>> changed_keys(ExperimentSettings(experiment="a", actions=2), ExperimentSettings(experiment="a", actions=2, baseline="1"))
    ['baseline']
    """
    return [key for key, _, _ in changes(before, now)]


def changes(before: ExperimentSettings, now: ExperimentSettings) -> Iterator[tuple[str, object, object]]:
    """The keys whose values differ, with the values before and now; None where there is none."""
    old, new = (dict(_flat(msgspec.json.decode(settings_to_json(each), type=dict[str, object]))) for each in (before, now))
    for key in dict.fromkeys([*old, *new]):
        if key not in old or key not in new or old[key] != new[key]:
            yield key, old.get(key), new.get(key)


def _flat(section: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
