"""`rewardloop demo`: the whole loop on real data, in a minute."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.markup import escape

from rewardloop.cli.telling.printing import console
from rewardloop.clock import SystemClock
from rewardloop.demo.playbook import perform
from rewardloop.demo.playing import ROUNDS, Pace
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.classification import digits, from_file

MAX_ROUNDS = 10_000_000


def demo(
    *,
    data: Annotated[
        Path | None,
        Parameter(name=["--data", "--world"], help="A CSV file with a header and a label column; by default handwritten digits."),
    ] = None,
    label: Annotated[str | None, Parameter(help="The label column; by default the last.")] = None,
    policy: Annotated[Exploration | None, Parameter(name=["--policy", "-p"], help="Exploration policy; by default lints.")] = None,
    rounds: Annotated[int, Parameter(validator=Number(gte=1, lte=MAX_ROUNDS), help="How many decisions to ask for.")] = ROUNDS,
    seed: Annotated[int, Parameter(validator=Number(gte=0), help="Of the order in which rows are drawn.")] = 0,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Where everything is left; an earlier one is replaced.")] = Path(
        "rewardloop-demo"
    ),
) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    world = from_file(data, label) if data else digits()
    console.print(
        f"[bold]{escape(world.name)}[/]: {len(world.contexts):,} rows, {len(world.actions)} actions, {policy or 'lints'}. Every "
        "decision is asked for over\nHTTP and logged; only the reward of the chosen action comes back. Beside the\n"
        "server, a loop joins, trains, evaluates and deploys.\n"
    )
    scores = perform(world, policy, Pace(rounds=rounds, seed=seed), out, console=console, clock=SystemClock())
    data_directory = shlex.quote(f"{out}/data")
    console.print(f"\n[dim]pictures[/]  {escape(str(out))}/reward.png and .html")
    console.print(f"[dim]look[/]      rewardloop status --data {escape(data_directory)} --report status.html")
    console.print(f"[dim]replay[/]    rewardloop audit {scores.event_id} --data {escape(data_directory)}")
