"""`rewardloop tail`: the log, as it is written."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from cyclopts import Parameter

from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console
from rewardloop.clock import isoformat
from rewardloop.events import Activation, Decision, Record
from rewardloop.features import parse_actions
from rewardloop.loop.experiment import Experiment

POLL_SECONDS = 0.1


def tail(
    experiment: ExperimentName,
    /,
    *,
    lines: Annotated[int, Parameter(name=["--lines", "-n"], help="How many of the newest records to show first.")] = 10,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], negative=(), help="Go on as records are written.")] = False,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    """Show the newest decisions and rewards.

    Example: rewardloop tail offers -f
    """
    with Experiment.open(experiment, data) as opened:
        records, cursor = opened.newest(lines)
        _print(records, json)
        while follow:
            records, cursor = opened.read_log(cursor)
            _print(records, json)
            if not records:
                time.sleep(POLL_SECONDS)


def _print(records: list[Record], json: bool) -> None:
    for record in records:
        console.print(_as_json(record) if json else _line(record), markup=False)


def _as_json(record: Record) -> str:
    fields = msgspec.structs.asdict(record)
    raw = {name: msgspec.Raw(value) for name, value in fields.items() if isinstance(value, bytes)}
    return msgspec.json.encode({"kind": type(record).__name__.lower(), **fields, **raw}).decode()


def _line(record: Record) -> str:
    if isinstance(record, Decision):
        chosen = parse_actions(record.actions).ids[record.action]
        what = f"decide {chosen} p={record.probability:.4g} {record.model_id} {record.context.decode()[:80]}"
        return f"{isoformat(record.decided_at)} {record.event_id} {what}"
    if isinstance(record, Activation):
        return f"{isoformat(record.activated_at)} {record.event_id} activate"
    return f"{isoformat(record.rewarded_at)} {record.event_id} reward {record.reward:g}{' final' if record.final else ''}"
