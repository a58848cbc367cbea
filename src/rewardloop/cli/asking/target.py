"""What a log is asked for by: an experiment, by name or YAML, or a file of another system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.meant import settings_of
from rewardloop.errors import InvalidInput
from rewardloop.exchange.observing import observe_file
from rewardloop.lake.observed import Observed, observe
from rewardloop.registry.layout import DataDirectory

Events = Annotated[int, Parameter(name=["--events", "-n"], help="Look at the newest so many; bounds time and memory.")]

OfferedActions = Annotated[
    str | None,
    Parameter(
        name=["--actions", "-a"],
        help="Of a file: the arms that were on offer, red,green,blue; by default those its rows tell, or all that occur.",
    ),
]

Only = Annotated[
    str | None, Parameter(help="Of a file whose rows name several experiments: look at the rows of this one.", show_default=False)
]

_YAML = {".yaml", ".yml"}
_DATA = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".dsjson", ".log", ".parquet"}


def is_log_file(target: str) -> bool:
    """Whether a file of history is meant, there or not, and no experiment."""
    path = Path(target)
    return path.suffix not in _YAML and (path.is_file() or path.suffix in _DATA)


def observed(target: str, actions: str | None, only: str | None, data: Path, newest: int) -> Observed:
    """The log of an experiment as of its last join, or a file. Raises `NotFound`, `InvalidInput`."""
    if is_log_file(target):
        return observe_file(Path(target), actions.split(",") if actions else None, newest, only)
    if only is not None:
        raise InvalidInput(f"Expected a file whose rows name their experiment, got the experiment `{target}`", at="--only")
    settings = settings_of(target, data)
    log = observe(DataDirectory(data).experiment(settings.experiment).lake, newest)
    return replace(log, reward_range=settings.reward.range, train_ratio=settings.training.ratio)
