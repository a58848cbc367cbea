"""Rows to be scored: JSON lines, CSV and Parquet, told apart by their first bytes, a thousand at a time. Decides nothing.

A row is a context, or has one under `context`; without fixed arms it has `actions` beside it. Other columns that a history has
(`action`, `reward`, `probability` …) may stand beside `context`, and are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.exchange.reading import read_rows
from rewardloop.exchange.rows import RawRow
from rewardloop.features import Features, flatten, parse_contexts
from rewardloop.json_values import load_json

CHUNK: Final = 2_000
_MAX_LINE: Final = 16 << 20
_KNOWN: Final = 1_024
"""Action sets kept parsed."""


class _Line(msgspec.Struct):
    context: msgspec.Raw | None = None
    actions: msgspec.Raw | None = None


_lines: Final = msgspec.json.Decoder(_Line)


class Bad(NamedTuple):
    """A row that cannot be scored."""

    line: int
    why: str


class Chunk(NamedTuple):
    """Rows that can be scored, in their order, and those among them that cannot."""

    lines: list[int]
    contexts: list[Features]
    actions: list[ActionSet]
    bad: list[Bad]


class Reader:
    """Rows of files, for an experiment with these fixed arms or with none."""

    def __init__(self, arms: ActionSet | None) -> None:
        self._arms = arms
        self._known: dict[bytes, ActionSet] = {}

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Raises `NotFound`, and `InvalidInput` for a file that holds no rows of any kind. Memory: one chunk."""
        rows = read_rows(path)
        if not _is_json_lines(path):
            yield from map(self._slowly, _thousands(rows))
            return
        with path.open("rb") as file:
            number, lines = 1, iter(partial(file.readline, _MAX_LINE), b"")
            while raw := list(islice(lines, CHUNK)):
                yield self._quickly(raw, number) or self._slowly(_raw_rows(raw, number))
                number += len(raw)

    def _quickly(self, raw: Sequence[bytes], first: int) -> Chunk | None:
        """All at once; None where anything is odd, to be read again row by row."""
        try:
            rows = list(map(_lines.decode, raw))
            texts = [line if row.context is None else bytes(row.context) for line, row in zip(raw, rows, strict=True)]
            actions = [self._offered(row.actions) for row in rows]
            contexts = parse_contexts(texts)
        except (ValueError, InvalidInput, RecursionError):
            return None
        plain = self._arms is not None or all(row.context is not None for row in rows)
        return Chunk(list(range(first, first + len(raw))), contexts, actions, []) if plain else None

    def _slowly(self, rows: Sequence[RawRow]) -> Chunk:
        chunk = Chunk([], [], [], [])
        for row in rows:
            try:
                context, actions = self._understood(row)
            except InvalidInput as error:
                chunk.bad.append(Bad(row.line, str(error)))
                continue
            chunk.lines.append(row.line)
            chunk.contexts.append(context)
            chunk.actions.append(actions)
        return chunk

    def _understood(self, row: RawRow) -> tuple[Features, ActionSet]:
        if row.values is None:
            raise InvalidInput(f"Expected a row, got {row.problem}")
        values = dict(row.values)
        offered = values.pop("actions", None) if self._arms is None or "context" in values else None
        context = values.get("context", values)
        parsed = load_json(context.encode("utf-8", "replace"), "$.context") if isinstance(context, str) else context
        if not isinstance(parsed, dict):
            raise InvalidInput("Expected an object", at="$.context")
        text = offered.encode("utf-8", "replace") if isinstance(offered, str) else msgspec.json.encode(offered)
        return flatten(parsed, "$.context"), self._offered(None if offered is None else msgspec.Raw(text))

    def _offered(self, raw: msgspec.Raw | None) -> ActionSet:
        """The experiment's arms; without any, the row's own."""
        if self._arms is not None:
            return self._arms
        if raw is None:
            raise InvalidInput("Expected `actions`, as the experiment has no fixed ones; got none", at="$.actions")
        text = bytes(raw)
        if text not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[text] = parse_actions(text)
        return self._known[text]


def _is_json_lines(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == b"{"


def _raw_rows(lines: Sequence[bytes], first: int) -> list[RawRow]:
    return [_raw_row(first + i, line) for i, line in enumerate(lines) if line.strip()]


def _raw_row(line: int, text: bytes) -> RawRow:
    try:
        values = load_json(text, "$")
    except InvalidInput:
        return RawRow(line, None, "no JSON")
    return RawRow(line, values) if isinstance(values, dict) else RawRow(line, None, "JSON that is no object")


def _thousands(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    while some := list(islice(rows, CHUNK)):
        yield some
