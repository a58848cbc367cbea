"""The one table of formats that are written; reading tells them apart by content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.exchange.dsjson.writing import Dsjson
from rewardloop.exchange.event import EventWriter
from rewardloop.exchange.joined.writing import JoinedCsv
from rewardloop.exchange.native import Csv, JsonLines, Parquet
from rewardloop.exchange.obp.writing import Obp
from rewardloop.exchange.open_bandit.writing import OpenBanditCsv
from rewardloop.exchange.vw.writing import VwText


class Format(NamedTuple):
    """A file format by the name the command line knows it by."""

    name: str
    suffixes: tuple[str, ...]
    """Those that mean it where none is named."""
    writer: Callable[[BinaryIO], EventWriter]
    holds_boxes: bool = False
    """Whether it can say the values of continuous actions and their density."""


FORMATS = (
    Format("jsonl", (".jsonl", ".ndjson", ".json"), JsonLines, holds_boxes=True),
    Format("csv", (".csv",), Csv, holds_boxes=True),
    Format("parquet", (".parquet",), Parquet, holds_boxes=True),
    Format("dsjson", (".dsjson",), Dsjson, holds_boxes=True),
    Format("vw", (".vw", ".txt"), VwText),
    Format("sagemaker-2019", (), JoinedCsv),
    Format("obp", (".npz",), Obp),
    Format("open-bandit", (), OpenBanditCsv),
)


def format_of(path: Path, name: str | None) -> Format:
    """The format of that name, or else the one that the file's ending means. Raises `InvalidInput`.

    >>> format_of(Path("events.npz"), None).name, format_of(Path("x.csv"), "sagemaker-2019").name
    ('obp', 'sagemaker-2019')
    """
    found = next((kind for kind in FORMATS if (kind.name == name if name else path.suffix in kind.suffixes)), None)
    if found is None:
        names = [kind.name for kind in FORMATS]
        wrong = f"Unknown format `{name}`{did_you_mean(name, names)}" if name else f"No format is known by `{path.suffix}`"
        raise InvalidInput(f"{wrong}; expected one of {', '.join(names)}", at="--format")
    return found
