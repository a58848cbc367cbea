"""`rewardloop tail`: the log, as it is written."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import NonNegativeInt

from rewardloop.actions import parse_actions
from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console, instant, print_json_line
from rewardloop.cli.telling.terminal import one_line
from rewardloop.events import Activation, Decision, Record
from rewardloop.loop.tailing import recorded_at

POLL_SECONDS = 0.1
MAX_CONTEXT = 80


def tail(
    experiment: ExperimentName,
    /,
    *,
    lines: Annotated[NonNegativeInt, Parameter(name=["--lines", "-n"], help="How many of the newest records first.")] = 10,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], show_default=False, help="Go on as records are written.")] = False,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    show = _show_json if json else _show
    with open_experiment(experiment, data) as opened:
        records, cursor = opened.newest(lines)
        show(records)
        while follow:
            records, cursor = opened.read_log(cursor)
            show(records)
            if not records:
                time.sleep(POLL_SECONDS)


def _show(records: list[Record]) -> None:
    for record in records:
        console.print(f"{instant(recorded_at(record))[:-4]}  {one_line(record.event_id)}  {one_line(_what(record))}", markup=False)


def _show_json(records: list[Record]) -> None:
    for record in records:
        fields = msgspec.structs.asdict(record)
        raw = {name: msgspec.Raw(value) for name, value in fields.items() if isinstance(value, bytes)}
        print_json_line({"kind": type(record).__name__.lower(), **fields, **raw})


def _what(record: Record) -> str:
    if isinstance(record, Decision):
        chosen, context = parse_actions(record.actions).ids[record.action], record.context.decode()
        shown = context if len(context) <= MAX_CONTEXT else f"{context[: MAX_CONTEXT - 1]}…"
        return f"decide  {chosen}  p={record.probability:.3g}  {record.model_id}  {shown}"
    if isinstance(record, Activation):
        return "activate"
    return f"reward  {record.reward:g}{'  final' if record.final else ''}"
