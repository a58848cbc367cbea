"""Closed events as Decision Service JSON, one a line, as Vowpal Wabbit's `--dsjson` and the Decision Service's tools read it."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from rewardloop.exchange.event import ClosedEvent, iso


class Dsjson:
    """cost = −reward; `a` and `p` begin with the chosen action, `a` counting from 1. An action's id is its `_tag`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, event: ClosedEvent) -> None:
        order = [event.action, *(i for i in range(len(event.actions)) if i != event.action)]
        line = {
            "_label_cost": 0.0 - event.reward,
            "_label_probability": event.probability,
            "_label_Action": event.action + 1,
            "_labelIndex": event.action,
            "o": [{"v": event.reward, "EventId": event.event_id}],
            "Timestamp": iso(event.decided_at),
            "Version": "1",
            "EventId": event.event_id,
            "a": [i + 1 for i in order],
            "c": {"shared": msgspec.Raw(event.context), "_multi": _multi(event)},
            **({"p": [event.pmf[i] for i in order]} if event.has_pmf else {}),
            "VWState": {"m": event.model_id},
        }
        self._file.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Nothing is held back."""


def _multi(event: ClosedEvent) -> list[dict[str, object]]:
    features = event.actions.features or ({},) * len(event.actions)
    return [{"_tag": name, **own} for name, own in zip(event.actions.ids, features, strict=True)]
