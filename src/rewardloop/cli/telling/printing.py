"""How results are printed: aligned tables for people, JSON for programs; remarks go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from rich.cells import cell_len
from rich.markup import escape

from rewardloop.cli.telling.terminal import Terminal, one_line
from rewardloop.clock import SECOND
from rewardloop.settings import write_hook

console = Terminal()
_remarks = Terminal(stderr=True)


def warn(sentence: str) -> None:
    """A remark that is no result."""
    _remarks.print(f"[yellow]{escape(sentence)}[/]")


def print_json(value: object) -> None:
    """One indented JSON document on standard output."""
    sys.stdout.write(json_document(value))
    sys.stdout.flush()


def json_document(value: object) -> str:
    """Indented, with a new line at its end."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=write_hook), indent=2).decode() + "\n"


def print_json_line(value: object) -> None:
    """One JSON document on one line, at once."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=write_hook).decode() + "\n")
    sys.stdout.flush()


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "") -> None:
    """Columns as wide as they must be; the header is dimmed."""
    lines = table(header, rows)
    console.print(f"{indent}[dim]{escape(lines[0])}[/]")
    for line in lines[1:]:
        console.print(indent + line, markup=False)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Aligned lines; a column whose header begins with `>` is of numbers.

    >>> table(("model", ">events"), [("offers.1", "605"), ("offers.2", "1,442")])
    ['model     events', 'offers.1     605', 'offers.2   1,442']
    """
    cells = [[name.removeprefix(">") for name in header], *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    right = [name.startswith(">") for name in header]
    return ["  ".join(map(_padded, row, widths, right)).rstrip() for row in cells]


def print_facts(rows: Iterable[tuple[str, str]], indent: str = "") -> None:
    """Names and values, a line each."""
    known = list(rows)
    width = max((cell_len(name) for name, _ in known), default=0)
    for name, value in known:
        console.print(f"{indent}[dim]{name:<{width}}[/]  {escape(one_line(value))}")


def instant(at: int) -> str:
    """An instant to the second.

    >>> instant(1_700_000_000_999_999)
    '2023-11-14 22:13:20 UTC'
    """
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if right else cell + space
