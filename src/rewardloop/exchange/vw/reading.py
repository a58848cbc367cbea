"""Vowpal Wabbit's text format for contextual bandits, read as native rows of history: `--cb` lines and `--cb_adf` groups.

Source: the Vowpal Wabbit wiki, "Input format" and "Contextual Bandit Example". A label is `action:cost:probability`, cost is
−reward, actions count from 1. In a group (lines up to an empty one) a `shared` line holds the context and each further line
an action; the tag before the bar is the event's id on the shared line and the action's on the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rewardloop.errors import InvalidInput
from rewardloop.exchange.rows import MAX_LINE, RawRow, Values
from rewardloop.exchange.vw.words import read_word

MAX_GROUP = 100_000
"""Lines of one group."""

_STARTS = re.compile(rb"^(shared\b[^|,]*|(\d+(:[-+.\deE]+){0,2}\s+)*(\d+(:[-+.\deE]+){0,2})?\s*[^\s|,]*)\|")


class _Line(NamedTuple):
    shared: bool
    labels: list[tuple[str, float, float]]
    """(action, cost, probability) of those that have a cost."""
    offered: list[str]
    tag: str
    features: Values


def is_vw_text(start: bytes) -> bool:
    r"""Whether a file that begins so is VW text.

    >>> is_vw_text(b"1:0.5:0.25 |user age:31\n"), is_vw_text(b"shared |u a\n0:1:0.5 |a b\n"), is_vw_text(b"age,action\n1,a|b\n")
    (True, True, False)
    """
    return _STARTS.match(start.lstrip()) is not None


def read_vw_text(path: Path) -> Iterator[RawRow]:
    """One row an event; a line that cannot be understood is a row with its problem."""
    group: list[_Line] = []
    first = 0
    for number, text in _lines(path):
        try:
            line = _parse(text) if text else None
        except InvalidInput as error:
            yield RawRow(number, None, str(error))
            continue
        if line is None or len(group) >= MAX_GROUP:
            yield from _event(first, group)
            group = []
        elif line.labels and line.labels[0][0] != "0" and not group:
            yield RawRow(number, _single(line))
        else:
            first = number if not group else first
            group.append(line)
    yield from _event(first, group)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            yield number, line.decode(errors="replace").strip("\r\n ")


def _parse(text: str) -> _Line:
    """
    >>> _parse("2:0.5:0.25 e1|user age:31 |_ x")
    _Line(shared=False, labels=[('2', 0.5, 0.25)], offered=['2'], tag='e1', features={'user': {'age': 31.0}, 'x': 1.0})
    """
    label, bar, rest = text.partition("|")
    if not bar:
        raise InvalidInput("Expected features after `|`, got none")
    words = label.split()
    tag = words.pop() if words and not label[-1:].isspace() else ""
    shared = bool(words) and words[0] == "shared"
    if tag == "shared":
        shared, tag = True, ""
    labels = [] if shared else [_label(word) for word in words]
    return _Line(
        shared,
        [(action, cost, probability) for action, cost, probability in labels if probability is not None and cost is not None],
        [action for action, _, _ in labels],
        read_word(tag.removeprefix("'")),
        _features("|" + rest),
    )


def _label(word: str) -> tuple[str, float | None, float | None]:
    action, *numbers = word.split(":")
    if not action.isdecimal() or len(numbers) > 2:
        raise InvalidInput(f"Expected a label `action:cost:probability`, got `{word[:40]}`")
    if len(numbers) < 2:
        return action, None, None
    return action, _number(numbers[0]), _number(numbers[1])


def _features(text: str) -> Values:
    """Namespaces as objects; features of the namespace without a name, or named `_`, stand at the top."""
    context: Values = {}
    for space in text.split("|")[1:]:
        words = space.split()
        named = bool(space) and not space[0].isspace()
        name, _, scale = words.pop(0).partition(":") if named and words else ("", "", "")
        features = {read_word(key): value * _number(scale or "1") for key, value in map(_feature, words)}
        name = read_word(name)
        if name in ("", "_"):
            context.update(features)
        else:
            inner = context.setdefault(name, {})
            if not isinstance(inner, dict):
                raise InvalidInput(f"Expected distinct names, got `{name[:40]}` for a feature and for a namespace")
            inner.update(features)
    return context


def _feature(word: str) -> tuple[str, float]:
    name, colon, value = word.rpartition(":")
    return (name, _number(value)) if colon else (word, 1.0)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"Expected a number, got `{text[:40]}`") from None


def _single(line: _Line) -> Values:
    """An event with fixed actions."""
    values = _told(line.tag, line.labels, line.features)
    return values | {"actions": line.offered} if len(line.offered) > 1 else values


def _event(first: int, group: Sequence[_Line]) -> Iterator[RawRow]:
    """An event with a line an action."""
    if not group:
        return
    shared = group[0] if group[0].shared else None
    lines = [line for line in group if not line.shared]
    chosen = [i for i, line in enumerate(lines) if line.labels]
    if len(chosen) != 1:
        yield RawRow(first, None, "no label, or several" if lines else "no action")
        return
    ids = [line.tag or str(i) for i, line in enumerate(lines, 1)]
    labels = [(ids[chosen[0]], *lines[chosen[0]].labels[0][1:])]
    actions = [{"id": name, "features": line.features} for name, line in zip(ids, lines, strict=True)]
    yield RawRow(first, _told(shared.tag if shared else "", labels, shared.features if shared else {}) | {"actions": actions})


def _told(event_id: str, labels: Sequence[tuple[str, float, float]], context: Values) -> Values:
    action, cost, probability = labels[0]
    values: Values = {"context": context, "action": action, "reward": 0.0 - cost, "probability": probability}
    return values | {"event_id": event_id} if event_id else values
