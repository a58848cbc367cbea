"""Warm start: the history of an existing system taken into the lake as closed events, every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from rewardloop.actions import ActionSet, celled_actions, fixed_actions
from rewardloop.cells import Cells
from rewardloop.errors import RewardloopError
from rewardloop.events import Decision, Reward
from rewardloop.exchange.history import HistoryRow, history_row
from rewardloop.exchange.named import Names
from rewardloop.exchange.reading import read_events
from rewardloop.exchange.thinning import heaviest, is_kept
from rewardloop.ids import draws
from rewardloop.lake.lake import Lake

BATCH = 10_000
OFFERS = 100_000
"""Actions in a batch: its rows are fewer where each offers more than ten."""
MAX_REASONS = 50
MAX_DISTINCT_ACTIONS = 100_000

KNOWN = "an event id that the lake has already"
LIGHTER = "left out by chance, so that every row taken in stands for as many events as the heaviest (`pdrop`)"
ELSEWHERE = "of another experiment than the one asked for"
OTHER = "other reasons"


class Skipped(msgspec.Struct, frozen=True):
    n: int
    first_line: int


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each row of a file: rows = imported + all that were skipped."""

    rows: int = 0
    imported: int = 0
    probability_estimated: int = 0
    """Rows without a probability, which got the frequency of their action among such rows. What is learned and evaluated from
    them assumes that the old system chose without looking at the context."""
    thinned: int = 0
    """Rows (of dsjson) that stand for more than themselves, since others were dropped."""
    most_stood_for: float = 1.0
    """Events that the heaviest of them stands for: every row that was taken in stands for as many."""
    skipped: dict[str, Skipped] = {}
    """By reason."""


class _Tally:
    def __init__(self) -> None:
        self.rows = 0
        self.imported = 0
        self.estimated = 0
        self.thinned = 0
        self.most = 1.0
        self.skipped: dict[str, Skipped] = {}

    def skip(self, reason: str, line: int, n: int = 1) -> None:
        if reason not in self.skipped and len(self.skipped) >= MAX_REASONS:
            reason = OTHER
        before = self.skipped.get(reason, Skipped(0, line))
        self.skipped[reason] = Skipped(before.n + n, min(before.first_line, line))

    def report(self) -> ImportReport:
        return ImportReport(
            rows=self.rows,
            imported=self.imported,
            probability_estimated=self.estimated,
            thinned=self.thinned,
            most_stood_for=self.most,
            skipped=self.skipped,
        )


def import_file(lake: Lake, path: Path, actions: Sequence[str] | Cells | None, at: int, only: str | None = None) -> ImportReport:
    """Takes in a file as events closed at the instant `at`, or at the next one that is still open. They are in the next join.

    `actions` are the experiment's fixed arms or the cells of its range, None where each row brings its own. Rows already taken in
    are skipped, so a killed import is simply made again. `only`: the rows that name this experiment. Raises `NotFound`, also where
    no row names `only`, and `InvalidInput` for a file that cannot be read, or whose rows name several experiments.
    """
    _check_names(path, only)
    fixed = _fixed(actions)
    tally, counts = _Tally(), Counter[str]()
    _take_in(lake, _complete(read_history(path, fixed, tally, only), counts), at, tally)
    total = counts.total()
    if total:
        frequencies = {action: n / total for action, n in counts.items()}
        estimated = _estimated(read_history(path, fixed, _Tally(), only), frequencies)
        before = tally.imported
        _take_in(lake, estimated, at, tally)
        tally.estimated = tally.imported - before
    return tally.report()


def _check_names(path: Path, only: str | None) -> None:
    """Before anything is taken in. Only CSV, JSON lines and Parquet name experiments; a file is read once for it."""
    names = Names(only)
    for row in read_events(path):
        if row.values is not None:
            names.takes(row.values)
    names.check_known(path)
    names.check_one(str(path))


def read_history(path: Path, fixed: ActionSet | None, tally: _Tally, only: str | None = None) -> Iterator[HistoryRow]:
    """The rows of a file that can be understood and are to count; the others are tallied."""
    rows, names = read_events(path), Names(only)
    tally.most = heaviest(path, fixed)
    for row in rows:
        tally.rows += 1
        if row.values is None:
            tally.skip(row.problem, row.line)
            continue
        if not names.takes(row.values):
            tally.skip(ELSEWHERE, row.line)
            continue
        try:
            understood = history_row(row.line, row.values, fixed)
        except RewardloopError as error:
            tally.skip(str(error), row.line)
            continue
        tally.thinned += understood.stands_for > 1
        if is_kept(_id(understood), understood.stands_for, tally.most):
            yield understood
        else:
            tally.skip(LIGHTER, row.line)


def _fixed(actions: Sequence[str] | Cells | None) -> ActionSet | None:
    if isinstance(actions, Cells):
        return celled_actions(actions)
    return fixed_actions(actions) if actions is not None else None


def _complete(rows: Iterable[HistoryRow], counts: Counter[str]) -> Iterator[HistoryRow]:
    """Rows with a probability; the actions of the others are counted."""
    for row in rows:
        if row.probability is not None:
            yield row
        elif len(counts) < MAX_DISTINCT_ACTIONS or row.actions.ids[row.action] in counts:
            counts[row.actions.ids[row.action]] += 1


def _estimated(rows: Iterable[HistoryRow], frequencies: dict[str, float]) -> Iterator[HistoryRow]:
    """Rows without a probability, with the frequency of their action in its place."""
    least = min(frequencies.values())
    for row in rows:
        if row.probability is None:
            yield msgspec.structs.replace(row, probability=frequencies.get(row.actions.ids[row.action], least))


def _take_in(lake: Lake, rows: Iterator[HistoryRow], at: int, tally: _Tally) -> None:
    for batch in _batches(rows):
        decisions = [_decision(row, lake.experiment, at) for row in batch]
        rewards = [reward for d, row in zip(decisions, batch, strict=True) for reward in _rewards(d, row, at)]
        kept = lake.import_events(decisions, rewards, at)
        tally.imported += len(kept)
        for decision, row in zip(decisions, batch, strict=True):
            if decision.event_id in kept:
                kept.discard(decision.event_id)
            else:
                tally.skip(KNOWN, row.line)


def _batches(rows: Iterable[HistoryRow]) -> Iterator[list[HistoryRow]]:
    batch: list[HistoryRow] = []
    offered = 0
    for row in rows:
        batch.append(row)
        offered += len(row.actions.ids)
        if len(batch) == BATCH or offered >= OFFERS:
            yield batch
            batch, offered = [], 0
    if batch:
        yield batch


def _rewards(decision: Decision, row: HistoryRow, at: int) -> Iterator[Reward]:
    """The reward of a decision, final; or one for each of its slots."""
    told = Reward(decision.event_id, decision.experiment, row.reward, at, "", True)
    if not row.slots:
        yield told
    for choice, reward in zip(row.slots, row.rewards, strict=True):
        yield msgspec.structs.replace(told, reward=reward, slot=choice.slot)


def _decision(row: HistoryRow, experiment: str, at: int) -> Decision:
    event_id = _id(row)
    seed, sample_prob = draws(experiment, event_id)
    assert row.probability is not None
    return Decision(
        event_id,
        experiment,
        row.model_id,
        at if row.decided_at is None else min(row.decided_at, at),
        row.context,
        row.actions.raw,
        row.pmf or (float("nan"),) * len(row.actions),
        row.action,
        row.probability,
        seed,
        sample_prob if row.sample_prob is None else row.sample_prob,
        slots=row.slots,
        values=row.values,
        density=row.density,
    )


def _id(row: HistoryRow) -> str:
    return row.event_id if row.event_id is not None else _made_id(row)


def _made_id(row: HistoryRow) -> str:
    """The same row at the same line has the same id, so importing a file twice adds nothing."""
    content = msgspec.json.encode((row.line, row.context, row.actions.raw, row.action, row.reward))
    return f"history-{blake2b(content, digest_size=16).hexdigest()}"
