"""`rewardloop activate`: let a deferred decision count."""

from __future__ import annotations

from rich.markup import escape

from rewardloop.cli.asking.opening import open_event
from rewardloop.cli.asking.options import DEFAULT, Data, EventExperiment, EventId
from rewardloop.cli.telling.printing import console


def activate(event_id: EventId, /, *, experiment: EventExperiment = None, data: Data = DEFAULT) -> None:
    with open_event(event_id, experiment, data) as opened:
        opened.activate(event_id)
    console.print(f"{escape(event_id)} counts from now on")
