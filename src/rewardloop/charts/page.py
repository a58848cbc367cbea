"""A report as one HTML page without a script: text, tables, and charts as drawings inside it. Nothing is written to disk here."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from rewardloop.charts.chart import Chart
from rewardloop.charts.render import to_svg

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = files("rewardloop.charts").joinpath("page.css").read_text(encoding="utf-8")

Tone = Literal["good", "bad", "plain"]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are text; a column whose header begins with `>` is of numbers. A row beginning with ✓ or ✗ is coloured so."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it: paragraphs, tables, charts."""

    title: str
    parts: Sequence[str | Table | Chart]


def to_page(title: str, headline: str, sections: Sequence[Section], tone: Tone = "plain") -> str:
    """The page. It loads nothing and runs nothing (its content security policy says so), reads by day and by night, and prints.

    >>> "<h2>Why</h2>\\n<p>1 &lt; 2</p>" in to_page("Report", "Keep.", [Section("Why", ["1 < 2"])])
    True
    """
    body = "\n".join(_section(section) for section in sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_text(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n'
        f'<h1>{_text(title)}</h1>\n<p class="headline {tone}">{_text(headline)}</p>\n{body}\n'
        "</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    return f"<section>\n<h2>{_text(section.title)}</h2>\n{parts}\n</section>"


def _part(part: str | Table | Chart) -> str:
    if isinstance(part, str):
        return f"<p>{_text(part)}</p>"
    return _table(part) if isinstance(part, Table) else _figure(part)


def _table(table: Table) -> str:
    numbers = [name.startswith(">") for name in table.header]
    head = "".join(_cell("th", name.removeprefix(">"), number) for name, number in zip(table.header, numbers, strict=True))
    rows = "\n".join(_table_row(row, numbers) for row in table.rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'


def _table_row(row: Sequence[str], numbers: Sequence[bool]) -> str:
    tone = {"✓": ' class="good"', "✗": ' class="bad"'}.get(row[0], "")
    return f"<tr{tone}>{''.join(_cell('td', cell, number) for cell, number in zip(row, numbers, strict=True))}</tr>"


def _cell(tag: str, text: str, number: bool) -> str:
    kind = ' class="number"' if number else ""
    return f"<{tag}{kind}>{_text(text)}</{tag}>"


def _text(text: str) -> str:
    """Escaped, and without characters that a document may not hold; the end of a line is a space."""
    return html.escape("".join(character if character.isprintable() else "�" for character in text.replace("\n", " ")))


def _figure(chart: Chart) -> str:
    """The drawing without the names of its dialects, which HTML does not need and a reader may take for addresses."""
    drawing = re.sub(r' xmlns(:xlink)?="[^"]*"', "", to_svg(chart))
    return f'<figure role="img" aria-label="{_text(chart.title)}">{drawing}</figure>'
