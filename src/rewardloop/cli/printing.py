"""How results are printed: tables for people, JSON for programs."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.table import Table

from rewardloop.settings import write_hook

console = Console(highlight=False, soft_wrap=True)
warnings = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    console.print(msgspec.json.format(msgspec.json.encode(value, enc_hook=write_hook), indent=2).decode(), markup=False)


def facts(title: str, rows: dict[str, object]) -> Table:
    """A two-column table of names and values."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False, title_style="bold")
    for name, value in rows.items():
        table.add_row(f"[dim]{name}[/]", f"{value}")
    return table
