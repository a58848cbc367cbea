"""`--report FILE`: what kind of file its name asks for, and putting it on disk whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.telling.printing import warn
from rewardloop.durable import replace_file
from rewardloop.errors import InvalidInput, StorageUnavailable

SUFFIXES = (".html", ".png", ".json")

ReportFiles = Annotated[
    tuple[Path, ...],
    Parameter(
        name=["--report", "-r"],
        consume_multiple=False,
        show_default=False,
        help="File to write: .html (one page, offline), .png or .json; may be given again.",
    ),
]

Renderer = Callable[[], bytes | str]


def check_reports(paths: Sequence[Path]) -> None:
    """Before anything is computed. Raises `InvalidInput` for a name that says no kind, or a directory that is not there."""
    for path in paths:
        if path.suffix not in SUFFIXES:
            raise InvalidInput(f"Expected a file name that ends in .html, .png or .json, got `{path}`", at="--report")
        if not path.parent.is_dir():
            raise InvalidInput(f"Expected a file in a directory that exists, got `{path}`", at="--report")


def write_reports(paths: Sequence[Path], renderers: Mapping[str, Renderer]) -> None:
    """Each file by its suffix; what was there before is replaced. Raises `StorageUnavailable`."""
    for path in paths:
        content = renderers[path.suffix]()
        try:
            replace_file(path, content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise StorageUnavailable(f"Cannot write `{path}`: {error.strerror}") from None
        warn(f"Wrote {path}")
