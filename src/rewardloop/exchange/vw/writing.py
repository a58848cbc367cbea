"""Closed events as Vowpal Wabbit text: a `--cb` line for fixed actions, a `--cb_adf` group for actions with features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from rewardloop.exchange.event import ClosedEvent
from rewardloop.exchange.vw.words import write_word
from rewardloop.features import flatten
from rewardloop.json_values import load_json


class VwText:
    """cost = −reward. A word becomes an indicator (`device=ios`), an object at the top of the context a namespace."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, event: ClosedEvent) -> None:
        label = f":{0.0 - event.reward:.9g}:{event.probability:.9g}"
        context = _spaces(event.context)
        if event.actions.features is None:
            text = f"{event.action + 1}{label} {write_word(event.event_id)}{context}\n"
        else:
            lines = [f"shared {write_word(event.event_id)}{context}"]
            for i, (name, features) in enumerate(zip(event.actions.ids, event.actions.features, strict=True)):
                lines.append(f"{'0' + label + ' ' if i == event.action else ''}{write_word(name)}{_space('', features)}")
            text = "\n".join(lines) + "\n\n"
        self._file.write(text.encode())

    def close(self) -> None:
        """Nothing is held back."""


def _spaces(context: bytes) -> str:
    """The context as namespaces: its objects by their names, the rest in the one without."""
    value = load_json(context)
    assert isinstance(value, dict)
    objects = {key: inner for key, inner in value.items() if isinstance(inner, dict)}
    rest = {key: inner for key, inner in value.items() if key not in objects}
    named = [_space(key, flatten(inner, f"$.context.{key}")) for key, inner in objects.items()]
    return _space("", flatten(rest, "$.context")) + "".join(f" {space}" for space in named)


def _space(name: str, features: Mapping[str, float | str]) -> str:
    return f"|{write_word(name)} " + " ".join(_written(features))


def _written(features: Mapping[str, float | str]) -> Iterator[str]:
    for name, value in features.items():
        yield write_word(f"{name}={value}") if isinstance(value, str) else f"{write_word(name)}:{value:.9g}"
