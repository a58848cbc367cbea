"""Closed events as the Open Bandit Dataset's `all.csv`."""

from __future__ import annotations

from typing import BinaryIO

from rewardloop.errors import InvalidInput
from rewardloop.exchange.csv_text import csv_over
from rewardloop.exchange.event import ClosedEvent, iso
from rewardloop.features import parse_context


class OpenBanditCsv:
    """A row an event, as `all.csv`: `item_id` is the action's index from 0; a context of its own becomes `user_feature_…` columns.

    The columns are those of the first event; one with another context is refused.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._text, self._rows = csv_over(file)
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


def _column(name: str) -> str:
    return name if name.startswith("user") else f"user_feature_{name}"
