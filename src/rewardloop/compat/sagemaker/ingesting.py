"""Joined rows into an experiment: of a decision made here the reward is new, everything else is history."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from rewardloop.compat.sagemaker.events import event_id_text
from rewardloop.compat.sagemaker.rows import JoinedRow, history_line
from rewardloop.errors import InvalidInput
from rewardloop.loop.experiment import Experiment
from rewardloop.scratch import Scratch

_logger = logging.getLogger(__name__)


def ingest(experiment: Experiment, rows: Iterable[JoinedRow]) -> None:
    """Raises `InvalidInput` for an action that is none of the arms, and then nothing was taken in."""
    ours: list[JoinedRow] = []
    history: list[JoinedRow] = []
    for row in rows:
        (ours if experiment.made_here(event_id_text(row.event_id)) else history).append(row)
    lines = _lines(history, experiment.settings.action_ids or ())
    for row in ours:
        experiment.reward(event_id_text(row.event_id), row.reward)
    if lines:
        _take_in(experiment, lines)


def _lines(rows: Sequence[JoinedRow], arms: Sequence[str]) -> list[bytes]:
    for row in rows:
        if row.action > len(arms):
            raise InvalidInput(f"Expected an action from 1 to {len(arms)}, got {row.action} in event `{row.event_id}`")
    return [history_line(row, event_id_text(row.event_id), arms[row.action - 1]) for row in rows]


def _take_in(experiment: Experiment, lines: Sequence[bytes]) -> None:
    with Scratch() as directory:
        path = directory / "rows.jsonl"
        path.write_bytes(b"\n".join(lines))
        report = experiment.warm_start(path)
    for reason, skipped in report.skipped.items():
        _logger.warning("experiment=%s left out %d rows: %s", experiment.settings.experiment, skipped.n, reason)
