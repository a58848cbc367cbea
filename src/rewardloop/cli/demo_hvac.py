"""`rewardloop demo-hvac`: a policy learns to cool a data centre on the real EnergyPlus, and is served."""

from __future__ import annotations

import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.markup import escape

from rewardloop.cli.telling.printing import console
from rewardloop.clock import SystemClock
from rewardloop.demo.hvac.playbook import perform
from rewardloop.demo.hvac.serving import EXPERIMENT
from rewardloop.demo.hvac.stages import STAGES, Building, Effort

_MOST = 10_000_000


def demo_hvac(
    *,
    building: Annotated[Building, Parameter(help="The hall of 2019, or two halls that may take outdoor air.")] = "one-zone",
    steps: Annotated[
        int | None, Parameter(validator=Number(gte=1, lte=_MOST), help="Of each training; by default the building's.")
    ] = None,
    seeds: Annotated[int, Parameter(validator=Number(gte=1, lte=100), help="How many trainings, each of a seed.")] = 5,
    at_once: Annotated[int, Parameter(validator=Number(gte=1, lte=100), help="Trainings side by side.")] = 2,
    episodes: Annotated[int, Parameter(validator=Number(gte=5, lte=1000), help="Of the comparison, for everybody.")] = 10,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Where everything is left; an earlier one is replaced.")] = Path(
        "rewardloop-demo-hvac"
    ),
) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    stage = STAGES[building]
    stage = replace(stage, n_steps=steps or stage.n_steps)
    console.print(f"[bold]{escape(stage.title)}[/], on EnergyPlus: {seeds} trainings of {stage.n_steps:,} steps.\n")
    done = perform(stage, Effort(range(seeds), at_once, episodes), out, console=console, clock=SystemClock())
    data = shlex.quote(f"{out}/data")
    console.print(
        f"\nServed over HTTP, {done.served.n_steps} decisions: {done.served.metrics['energy_kwh']:,.1f} kWh; the same policy in "
        f"this process: {done.direct.metrics['energy_kwh']:,.1f} kWh."
    )
    console.print(f"\n[dim]pictures[/]  {escape(str(out))}/episode.png, comparison.png, and .html of each")
    console.print(f"[dim]learning[/]  rewardloop rl runs {escape(done.winner.root.name)} --data {escape(data)}")
    console.print(f"[dim]serve[/]     rewardloop serve --data {escape(data)}")
    console.print(f"[dim]look[/]      rewardloop status {EXPERIMENT} --data {escape(data)}")
    console.print(f"[dim]replay[/]    rewardloop audit {done.event_id} --data {escape(data)}")
