"""`rewardloop run`: the loop, for ever."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console
from rewardloop.loop.cycle import CycleReport
from rewardloop.loop.experiment import Experiment
from rewardloop.loop.learner import Learner
from rewardloop.registry.records import RolloutStep


def run(
    experiment: ExperimentName,
    /,
    *,
    cycles: Annotated[int | None, Parameter(help="Stop after this many cycles; by default never.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    """Join, train, evaluate and deploy whenever enough events have closed. Kill it at any time: it carries on where it was.

    Example: rewardloop run offers.yaml
    """
    stop = _Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.for_good())
    done = 0
    while stop.begin():
        with open_experiment(experiment, data) as opened:
            if not json:
                _announce(opened)
            done += _run(opened, data, stop, cycles - done if cycles is not None else None, json)
            experiment = opened.settings.experiment
        if cycles is not None and done >= cycles:
            return
    if not json:
        console.print("Stopped: started again, it goes on from here")


class _Stop:
    """Why a loop ends: for good, or to be opened again under new settings."""

    def __init__(self) -> None:
        self.now = Event()
        self._for_good = Event()

    def for_good(self) -> None:
        self._for_good.set()
        self.now.set()

    def begin(self) -> bool:
        """Whether to go on."""
        self.now.clear()
        return not self._for_good.is_set()


def _run(opened: Experiment, data: Path, stop: _Stop, cycles: int | None, json: bool) -> int:
    on_cycle = _print_json if json else _print
    on_step = _print_json if json else _print_step

    def look() -> None:
        if opened.is_outdated():
            stop.now.set()

    if opened.settings.training.mode == "batch":
        return opened.run(stop.now, max_cycles=cycles, on_cycle=on_cycle, on_rest=look, on_step=on_step)
    opened.join()  # The learner starts from a data set, so there must be one.
    with Learner(opened.settings.experiment, data) as learner:

        def tend() -> None:
            learner.tend()
            look()

        return opened.run(stop.now, max_cycles=cycles, on_cycle=on_cycle, on_rest=tend)


def _announce(opened: Experiment) -> None:
    training = opened.settings.training
    console.print(
        f"Loop of [bold]{opened.settings.experiment}[/]: a cycle every {training.every_events} closed events "
        f"or {training.every / 1e6:g} s; stop with Ctrl-C"
    )


def _print(report: CycleReport) -> None:
    mark = "[green]deployed[/]" if report.deployed else f"[yellow]{'on trial' if report.on_trial else report.verdict}[/]"
    console.print(
        f"{report.model_id}  {mark}  trained on {report.n_trained} (mean reward {report.mean_reward:.3f}), "
        f"{report.n_events} events so far. {report.summary}"
    )
    if report.warning:
        console.print(f"[yellow]Careful:[/] {report.warning}.")
    if report.drift:
        console.print(f"[yellow]Drift:[/] {report.drift}.")


def _print_step(step: RolloutStep) -> None:
    """What became of a challenger."""
    what = f"makes {step.share:.2%} of decisions" if step.is_open else {"promote": "promoted"}.get(step.kind, "taken back")
    colour = "red" if step.kind == "roll back" else "green"
    console.print(f"{step.challenger}  [{colour}]{what}[/]  {escape(step.reason)}")


def _print_json(report: CycleReport | RolloutStep) -> None:
    print(msgspec.json.encode(report).decode(), flush=True)
