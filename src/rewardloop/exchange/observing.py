"""A file of another system's history as `Observed`: nothing enters a lake, nothing is estimated, refused rows keep their lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.events import MAX_ACTIONS
from rewardloop.exchange.answers import Answers
from rewardloop.exchange.dsjson.reading import is_dsjson
from rewardloop.exchange.history import HistoryRow, history_row, slot_rows
from rewardloop.exchange.importing import MAX_REASONS, OTHER
from rewardloop.exchange.named import Names
from rewardloop.exchange.reading import read_events
from rewardloop.exchange.row_values import action_id
from rewardloop.exchange.rows import RawRow
from rewardloop.features import parse_context
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.lake.observed import NEVER, Observed, Refused


class _Reading:
    """What is gathered row by row."""

    def __init__(self, newest: int, only: str | None, answers: Answers) -> None:
        self.rows: deque[HistoryRow] = deque(maxlen=newest)
        self.answers = answers
        self.columns: tuple[str, ...] = ()
        self.understood = 0
        self.thinned = 0
        self.refused: dict[str, Refused] = {}
        self.names = Names(only)

    def take(self, row: HistoryRow) -> None:
        parts = slot_rows(row)
        self.rows.extend(parts)
        self.understood += len(parts)
        self.thinned += row.stands_for > 1

    def refuse(self, reason: str, line: int) -> None:
        if reason not in self.refused and len(self.refused) >= MAX_REASONS:
            reason = OTHER
        self.refused[reason] = self.refused.get(reason, Refused()).one_more(line)


def observe_file(
    path: Path, actions: Sequence[str] | None, newest: int, only: str | None = None, answers: Sequence[str] = ()
) -> Observed:
    """The newest (last) rows of a CSV, JSON lines, Parquet or dsjson file; every row that is left out is counted.

    `actions` are the arms that were on offer. None: each row tells its own, or else all that occur in the file were on offer.
    `only`: the rows that name this experiment. `answers`: columns that hold what other policies would have done, see `Answers`.
    Memory: `newest` rows. Raises `NotFound`, also where no row names `only`, and `InvalidInput` for a file that cannot be read at
    all, or where a row lacks one of the `answers`.
    """
    fixed = fixed_actions(actions) if actions is not None else _arms_in(path, only)
    reading = _Reading(newest, only, Answers(answers, newest, ordered=actions is not None or fixed is None))
    sets: dict[bytes, ActionSet] = {}
    for raw in read_events(path):
        _read(reading, raw, fixed, sets)
    reading.names.check_known(path)
    reading.answers.check(path, reading.columns)
    rows = list(reading.rows)
    return Observed(
        _interactions(rows),
        np.array([NEVER if row.decided_at is None else row.decided_at for row in rows], np.int64),
        np.full(len(rows), NEVER),
        np.ones(len(rows), bool),
        [row.model_id for row in rows],
        has_event_ids=any(row.event_id is not None for row in rows),
        has_sample_prob=bool(rows) and all(row.sample_prob is not None for row in rows),
        n_older=reading.understood - len(rows),
        refused=reading.refused,
        experiments=dict(reading.names.counts),
        only=only,
        n_others=reading.names.n_others,
        thinned=reading.thinned,
        answers=reading.answers.by_column(),
    )


def _read(reading: _Reading, raw: RawRow, fixed: ActionSet | None, sets: dict[bytes, ActionSet]) -> None:
    if raw.values is None:
        reading.refuse(raw.problem, raw.line)
        return
    if not reading.names.takes(raw.values):
        return
    reading.columns = reading.columns or tuple(raw.values)
    raw, answers = reading.answers.apart(raw)
    try:
        row = history_row(raw.line, raw.values or {}, fixed)
    except RewardloopError as error:
        reading.refuse(str(error), raw.line)
        return
    reading.take(row if row.slots else _sharing(row, sets))
    reading.answers.take(row, answers)


def _sharing(row: HistoryRow, sets: dict[bytes, ActionSet]) -> HistoryRow:
    """The row with the object that others of the same JSON have."""
    if len(sets) >= MAX_ACTIONS:
        sets.clear()
    known = sets.setdefault(row.actions.raw, row.actions)
    if known is row.actions:
        return row
    return msgspec.structs.replace(row, actions=known)


def _arms_in(path: Path, only: str | None) -> ActionSet | None:
    """All actions that were taken, where rows do not say what was on offer. Raises `InvalidInput` where these are too many."""
    taken: set[str] = set()
    names = Names(only)
    for raw in read_events(path):
        if raw.values is None or "action" not in raw.values or is_dsjson(raw.values) or not names.takes(raw.values):
            continue
        if "actions" in raw.values:
            return None
        try:
            taken.add(action_id(raw.values["action"]))
        except RewardloopError:
            continue
        if len(taken) > MAX_ACTIONS:
            raise InvalidInput(f"Expected at most {MAX_ACTIONS} actions, or a column `actions` of what was on offer", at=str(path))
    return fixed_actions(sorted(taken)) if taken else None


def _interactions(rows: Sequence[HistoryRow]) -> Interactions:
    if not rows:
        return Interactions.empty()
    offsets = np.concatenate([[0], np.cumsum([len(row.actions) for row in rows])]).astype(np.int64)
    return Interactions(
        [f"line {row.line}" if row.event_id is None else row.event_id for row in rows],
        [parse_context(row.context) for row in rows],
        [row.actions for row in rows],
        np.array([row.action for row in rows], np.int64),
        np.array([np.nan if row.probability is None else row.probability for row in rows]),
        np.array([row.reward for row in rows]),
        _flat(rows, offsets),
        offsets,
        np.array([np.nan if row.sample_prob is None else row.sample_prob for row in rows]),
        np.array([0 if row.decided_at is None else row.decided_at for row in rows], np.int64),
    )


def _flat(rows: Sequence[HistoryRow], offsets: Ints) -> Floats:
    """(Σ K_i,) the distributions, NaN where a row has none."""
    pmf = np.full(offsets[-1], np.nan)
    for row, start, stop in zip(rows, offsets, offsets[1:], strict=False):
        if row.pmf is not None:
            pmf[start:stop] = row.pmf
    return pmf
