"""`rewardloop rl off-policy`: what a trained policy would earn, from episodes that another one logged."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import Checkpoint, EpisodesFile
from rewardloop.cli.telling.printing import console, print_facts, print_json, print_table
from rewardloop.evaluation.sequential import SequentialReport
from rewardloop.rl.logged.acting import NOISE, ServedPolicy
from rewardloop.rl.logged.evaluating import judge
from rewardloop.rl.logged.files import read_episodes
from rewardloop.rl.playing.evaluating import exported_of
from rewardloop.rl.runs.run import Runs

NOTHING_TO_TELL = 3
_LOOKED_AT = 8


def off_policy(
    log: EpisodesFile,
    /,
    *,
    policy: Annotated[str, Parameter(help="The run whose policy is asked about; `rewardloop rl runs` lists them.")],
    checkpoint: Checkpoint = "best",
    explore: Annotated[float, Parameter(help="Share of its actions that would be uniform.")] = 0.0,
    noise: Annotated[float, Parameter(help="Deviation, as a share of the range, of continuous policies that have none.")] = NOISE,
    gamma: Annotated[float, Parameter(help="Discount a step.")] = 1.0,
    model: Annotated[Literal["trees", "linear"], Parameter(help="What the fitted values are made of.")] = "trees",
    level: Annotated[float, Parameter(help="Of the intervals.")] = 0.95,
    seed: Annotated[int, Parameter(help="Of folds, trees and the bootstrap.")] = 0,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    sys.path.insert(0, os.getcwd())
    logged = read_episodes(log)
    served = ServedPolicy(exported_of(Runs(data).find(policy), checkpoint), explore=explore, noise=noise)
    report = judge(logged, served, gamma=gamma, level=level, model=model, seed=seed)
    if json:
        print_json({"sentence": report.sentence, "report": report})
    else:
        _print(report)
    sys.exit(0 if report.supported else NOTHING_TO_TELL)


def _print(report: SequentialReport) -> None:
    if report.supported:
        rows = [("logged", report.logged), *report.estimates.items()]
        header = ("estimator", ">return", ">lower", ">upper", ">ess")
        print_table(header, [(name, *(f"{x:.5g}" for x in (e.value, e.lower, e.upper, e.ess))) for name, e in rows])
    else:
        steps = _some(len(report.ess_by_step))
        rows_of_steps = [(str(t + 1), f"{report.ess_by_step[t]:.4g}", f"{report.mean_weight_by_step[t]:.4g}") for t in steps]
        print_table((">step", ">ess", ">mean weight"), rows_of_steps)
    horizon = len(report.ess_by_step)
    print_facts(
        [
            ("episodes", f"{report.logged.n:,}{f', {report.n_cut:,} of them cut off before the longest' if report.n_cut else ''}"),
            ("support", f"{report.effective_horizon} of {horizon} steps"),
            ("least ess", f"{min(report.ess_by_step):.4g}"),
            ("mean weight", f"{report.mean_weight_by_step[-1]:.4g} at the end, where 1 is right"),
        ]
    )
    console.print(f"[bold]{escape(report.sentence)}[/]")


def _some(n: int) -> list[int]:
    """A few steps, the first and the last among them."""
    return sorted({round(i * (n - 1) / (_LOOKED_AT - 1)) for i in range(_LOOKED_AT)})
