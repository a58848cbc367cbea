"""From rows of decisions and their labels to `Interactions`: numbers stay arrays, JSON becomes features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.features import parse_context
from rewardloop.interactions import NO_METRICS, Box, Floats, Interactions
from rewardloop.lake.labels import Labels

COLUMNS = ("event_id", "context", "actions", "pmf", "action", "probability", "variant", "values", "density")
MAX_ACTION_SETS = 10_000
"""Parsed sets kept: the same JSON gives the same object."""
MAX_ACTIONS = 100_000
"""In all sets that are kept."""


class Parser:
    def __init__(self) -> None:
        self._sets: dict[bytes, ActionSet] = {}
        self._n_actions = 0

    def interactions(self, labels: Labels, decisions: pa.Table, metrics: Mapping[str, Floats] = NO_METRICS) -> Interactions:
        """(n,) of each, row by row."""
        pmf = decisions["pmf"].combine_chunks()
        sizes = pc.list_value_length(pmf).to_numpy()
        return Interactions(
            decisions["event_id"].to_pylist(),
            [parse_context(context) for context in decisions["context"].cast(pa.binary()).to_pylist()],
            self._actions(decisions["actions"].combine_chunks()),
            decisions["action"].to_numpy().astype(np.int64),
            decisions["probability"].to_numpy(),
            labels.reward,
            pmf.flatten().to_numpy(),
            np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
            labels.sample_prob,
            labels.closed_at,
            decisions["variant"].to_pylist(),
            metrics,
            _box(decisions),
        )

    def _actions(self, column: pa.DictionaryArray) -> list[ActionSet]:
        used = column if len(column.dictionary) <= len(column) else column.cast(pa.string()).dictionary_encode()
        sets = [self._set(document) for document in used.dictionary.cast(pa.binary()).to_pylist()]
        return [sets[i] for i in used.indices.to_pylist()]

    def _set(self, document: bytes) -> ActionSet:
        known = self._sets.get(document)
        if known is None:
            if len(self._sets) >= MAX_ACTION_SETS or self._n_actions >= MAX_ACTIONS:
                self._sets.clear()
                self._n_actions = 0
            known = self._sets[document] = parse_actions(document)
            self._n_actions += len(known.ids)
        return known


def _box(decisions: pa.Table) -> Box | None:
    values = decisions["values"].combine_chunks()
    sizes = pc.list_value_length(values).to_numpy()
    width = int(sizes.max(initial=0))
    if not width:
        return None
    density, found = decisions["density"].to_numpy().copy(), np.full((len(sizes), width), np.nan)
    has = sizes == width
    found[has] = values.filter(pa.array(has)).flatten().to_numpy().reshape(-1, width)
    density[~has] = np.nan
    return Box(found, density)
