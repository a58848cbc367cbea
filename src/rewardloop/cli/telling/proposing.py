"""The request that `rewardloop serve` proposes to try: one that the experiment answers. Nothing is sent here."""

from __future__ import annotations

from rewardloop.registry.catalog import Catalog
from rewardloop.registry.records import ExperimentEntry, ModelRecord

_SHOWN = 2_000
"""Characters of an observation that a terminal is asked to bear: pictures are longer."""


def proposed(catalog: Catalog, entry: ExperimentEntry) -> str | None:
    """The body of a decision, JSON; None where what is hosted wants a longer one than anybody would paste.

    A policy from a simulator takes its observations and nothing else, so one that it was tested with is proposed. Of other
    experiments any context will do: what persons were logged with is not shown.
    """
    hosted = catalog.hosted(entry.name)
    context = '{"age": 31}' if hosted is None else _observation(catalog.model(hosted.model_id)) or '{"age": 31}'
    if len(context) > _SHOWN:
        return None
    offered = ', "actions": ["red", "green"]' if entry.settings.actions is None else ""
    return f'{{"context": {context}{offered}}}'


def _observation(record: ModelRecord) -> str | None:
    if not record.is_taken_in:
        return None
    return next((one.context for one in record.golden if one.context.startswith('{"observation":')), None)
