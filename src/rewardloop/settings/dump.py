"""Settings as a YAML that explains itself: what `rewardloop init` writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import yaml
from msgspec import inspect

from rewardloop.settings.expected import description, fields, plain, root
from rewardloop.settings.mapping import to_mapping
from rewardloop.settings.schema import ExperimentSettings

Mapping = dict[str, object]
_HEAD = "# One experiment of rewardloop. A key behind a # has its default; take the # away to change it."


def example_yaml(settings: ExperimentSettings) -> str:
    """Every setting with its sentence; those that have their default are commented out. Parses back to equal settings.

    >>> print(example_yaml(ExperimentSettings(experiment="offers", actions=3)))
    # One experiment of rewardloop. A key behind a # has its default; take the # away to change it.
    # Name of the experiment: lower-case letters, digits, - and _.
    experiment: "offers"
    # A number (arms named 1 … n), names, ...
    actions: 3
    ...
    <BLANKLINE>
    # Which engine explores, and how much.
    policy:
      # Exploration policy. null: lints; where requests bring the actions and ...
      # exploration: null
      ...
    """
    return "\n".join([_HEAD, *_lines(root(), to_mapping(settings), to_mapping(ExperimentSettings(experiment="")), "")]) + "\n"


def scalar(value: object) -> str:
    """One value as YAML, on one line.

    >>> scalar("no"), scalar(0.5), scalar(None), scalar([1, 2])
    ('"no"', '0.5', 'null', '[1, 2]')
    """
    if isinstance(value, list | tuple):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return yaml.safe_dump(value, default_style='"', width=1 << 30).rstrip("\n")
    return "null" if value is None else repr(value)


def _lines(section: inspect.StructType, values: Mapping, defaults: Mapping, indent: str) -> Iterator[str]:
    for key, field in fields(section).items():
        kind = plain(field.type)
        if isinstance(kind, inspect.StructType):
            yield from ("", f"{indent}# {kind.cls.__doc__}", f"{indent}{key}:")
            yield from _lines(kind, cast(Mapping, values[key]), cast(Mapping, defaults[key]), indent + "  ")
        else:
            mark = "# " if values[key] == defaults[key] else ""
            yield f"{indent}# {description(field)}"
            yield f"{indent}{mark}{key}: {scalar(values[key])}"
