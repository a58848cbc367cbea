"""Closed events as the CSV files of two foreign systems: the joined rows of 2019's SageMaker RL, and the Open Bandit Dataset's."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

from rewardloop.errors import InvalidInput
from rewardloop.exchange.event import ClosedEvent, iso
from rewardloop.exchange.joined_rows import COLUMNS, joined_row
from rewardloop.features import parse_context


class JoinedCsv:
    """A row an event; `observation` is the context's list of that name, or all its features in its own order.

    Actions count from 1. Refuses an event with actions that have features: 2019 had none.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._text, self._rows = _csv(file)
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


class OpenBanditCsv:
    """A row an event, as `all.csv`: `item_id` is the action's index from 0; a context of its own becomes `user_feature_…` columns.

    The columns are those of the first event; one with another context is refused.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._text, self._rows = _csv(file)
        self._names: list[str] | None = None
        self._n = 0

    def write(self, event: ClosedEvent) -> None:
        features = parse_context(event.context)
        position = features.pop("position", 1)
        if self._names is None:
            self._names = list(features)
            self._rows.writerow(("", "timestamp", "item_id", "position", "click", "propensity_score", *map(_column, self._names)))
        elif features.keys() != set(self._names):
            raise InvalidInput(f"Expected the features of the first event, got others in event `{event.event_id}`", at="$.context")
        cells = [features[name] for name in self._names]
        when = iso(event.decided_at)
        self._rows.writerow((self._n, when, event.action, position, event.reward, event.probability, *cells))
        self._n += 1

    def close(self) -> None:
        self._text.detach()


def _csv(file: BinaryIO):  # type: ignore[no-untyped-def]  # csv's writer has no name to annotate with
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    return text, csv.writer(text)


def _column(name: str) -> str:
    return name if name.startswith("user") else f"user_feature_{name}"
