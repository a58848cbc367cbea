"""Closed events as the joined rows of 2019's SageMaker RL, in CSV."""

from __future__ import annotations

from typing import BinaryIO

from rewardloop.errors import InvalidInput
from rewardloop.exchange.csv_text import csv_over
from rewardloop.exchange.event import ClosedEvent
from rewardloop.exchange.joined.rows import COLUMNS, joined_row
from rewardloop.features import parse_context


class JoinedCsv:
    """A row an event; `observation` is the context's list of that name, or all its features in its own order.

    Actions count from 1. Refuses an event with actions that have features: 2019 had none.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._text, self._rows = csv_over(file)
        self._rows.writerow(COLUMNS)

    def write(self, event: ClosedEvent) -> None:
        if event.actions.features is not None:
            raise InvalidInput(f"Expected fixed actions, got some with features in event `{event.event_id}`")
        observed = list(parse_context(event.context).values())
        self._rows.writerow(
            joined_row(event.reward, event.event_id, event.action, event.probability, event.model_id, observed, event.sample_prob)
        )

    def close(self) -> None:
        self._text.detach()
