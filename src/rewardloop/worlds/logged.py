"""Another system's logged decisions, to be replayed: of each round only the reward of the action taken is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.errors import InvalidInput
from rewardloop.exchange.history import HistoryRow, history_row, slot_rows
from rewardloop.exchange.named import Names
from rewardloop.exchange.reading import read_events
from rewardloop.exchange.row_values import action_id
from rewardloop.exchange.thinning import heaviest, is_kept
from rewardloop.features import parse_context
from rewardloop.interactions import Interactions

MAX_ROWS = 200_000

Replay = Literal["rejection", "importance"]
"""How one is replayed: only what a policy would have done, or everything, by its importance weight."""


@dataclass(frozen=True, slots=True)
class LoggedWorld:
    """n decisions with their probabilities and rewards, in the order of the file."""

    name: str
    interactions: Interactions
    arms: ActionSet | None
    """None where each row brings its own actions."""


def read_log(path: Path, only: str | None = None) -> LoggedWorld:
    """The first 200,000 rows of CSV, JSON lines, Parquet or dsjson, as `warm-start` takes them in.

    `only`: those that name this experiment. None: there must be one.

    Without `actions` in the rows, the arms are those that occur. Slots are a decision each. Of rows that stand for several events
    as many are left out by chance as make all stand for as many. Raises `InvalidInput` for a row that is wrong, naming its
    line, for one without a probability (a replay divides by it), and for rows of several experiments.
    """
    names = Names(only)
    raw = list(islice((row for row in read_events(path) if row.values is None or names.takes(row.values)), MAX_ROWS))
    names.check_known(path)
    names.check_one("--log")
    arms = _arms(raw_values.get("action") for row in raw if (raw_values := row.values) and "actions" not in raw_values)
    rows: list[HistoryRow] = []
    most = heaviest(path, arms)
    for row in raw:
        where = f"{path}, line {row.line}"
        if row.values is None:
            raise InvalidInput(f"Expected a row, got {row.problem} ({where})", at="--log")
        try:
            read = history_row(row.line, row.values, arms)
        except InvalidInput as error:
            raise InvalidInput(f"{error} ({where})") from None
        if read.probability is None:
            raise InvalidInput(f"Expected the probability of each action, got none ({where})", at="--log")
        if is_kept(read.event_id or str(read.line), read.stands_for, most):
            rows += slot_rows(read)
    if not rows:
        raise InvalidInput(f"Expected logged decisions in {path}, found none", at="--log")
    return LoggedWorld(path.stem, _interactions(rows), arms)


def _arms(actions: Iterator[object]) -> ActionSet | None:
    ids = sorted({action_id(action) for action in actions if action is not None})
    return fixed_actions(ids) if ids else None


def _interactions(rows: list[HistoryRow]) -> Interactions:
    sizes = [len(row.actions) for row in rows]
    return Interactions(
        [row.event_id or str(row.line) for row in rows],
        [parse_context(row.context) for row in rows],
        [row.actions for row in rows],
        np.array([row.action for row in rows], np.int64),
        np.array([row.probability for row in rows], np.float64),
        np.array([row.reward for row in rows]),
        np.concatenate([row.pmf if row.pmf is not None else np.full(n, np.nan) for row, n in zip(rows, sizes, strict=True)]),
        np.cumsum([0, *sizes]).astype(np.int64),
        np.zeros(len(rows)),
        np.arange(len(rows), dtype=np.int64),
    )
