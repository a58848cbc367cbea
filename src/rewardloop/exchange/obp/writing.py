"""Closed events as obp's bandit feedback: dense arrays, so all of them are held until the end."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.exchange.event import ClosedEvent
from rewardloop.features import parse_context

MAX_COLUMNS = 2_000


class Obp:
    """The same fixed actions in every event; a word becomes a 0/1 column `name=word`, and at most 2,000 columns are made."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._columns: dict[str, int] = {}
        self._contexts: list[tuple[list[int], list[float]]] = []
        self._events: list[tuple[int, float, float, str, tuple[float, ...]]] = []
        self._ids: tuple[str, ...] = ()

    def write(self, event: ClosedEvent) -> None:
        if event.actions.features is not None or (self._ids and event.actions.ids != self._ids):
            raise InvalidInput(f"Expected the same fixed actions in every event, got others in event `{event.event_id}`")
        named = [
            (f"{name}={value}", 1.0) if isinstance(value, str) else (name, float(value))
            for name, value in parse_context(event.context).items()
        ]
        if len(self._columns.keys() | dict(named).keys()) > MAX_COLUMNS:
            raise InvalidInput(f"Expected at most {MAX_COLUMNS} columns of context, got more in event `{event.event_id}`")
        self._ids = event.actions.ids
        places = [self._columns.setdefault(name, len(self._columns)) for name, _ in named]
        self._contexts.append((places, [value for _, value in named]))
        self._events.append((event.action, event.reward, event.probability, event.event_id, event.pmf))

    def close(self) -> None:
        n = len(self._events)
        context = np.zeros((n, len(self._columns)))
        for row, (places, values) in zip(context, self._contexts, strict=True):
            row[places] = values
        action, reward, pscore, event_ids, pmf = zip(*self._events, strict=True) if n else ((), (), (), (), ())
        arrays: dict[str, Any] = {
            "n_rounds": np.array(n),
            "n_actions": np.array(len(self._ids)),
            "context": context,
            "action": np.array(action, np.int64),
            "position": np.zeros(n, np.int64),
            "reward": np.array(reward, np.float64),
            "pscore": np.array(pscore, np.float64),
            "action_ids": np.array(self._ids, np.str_),
            "feature_names": np.array(list(self._columns), np.str_),
            "event_ids": np.array(event_ids, np.str_),
        }
        if n and not np.isnan(pmf).any():
            arrays["pi_b"] = np.array(pmf)[:, :, None]
        np.savez_compressed(self._file, **arrays)
