"""`rewardloop rl evaluate`: what a trained policy earns, on seeds it never saw."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import Checkpoint, Episodes, RunName, TestParameters, pairs
from rewardloop.cli.telling.printing import console, print_facts, print_json, warn
from rewardloop.errors import InvalidInput
from rewardloop.rl.logged.recording import record as recorded
from rewardloop.rl.playing.evaluating import Evaluated, evaluate_run, seeds_of
from rewardloop.rl.runs.run import Runs


def evaluate(
    run: RunName,
    /,
    *,
    episodes: Episodes = 20,
    seeds: Annotated[
        tuple[int, ...], Parameter(show_default=False, help="The seeds themselves, instead of a number of them.")
    ] = (),
    checkpoint: Checkpoint = "best",
    test_param: TestParameters = (),
    record: Annotated[
        Path | None, Parameter(help="Parquet file for the episodes; the policy then acts as it is served, with its own spread.")
    ] = None,
    explore: Annotated[float | None, Parameter(help="With --record: the share of actions that are uniform.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    sys.path.insert(0, os.getcwd())
    if episodes < 1:
        raise InvalidInput(f"Expected at least 1, got {episodes}", at="--episodes")
    if explore is not None and record is None:
        raise InvalidInput("Expected --record beside it: an evaluation does not explore", at="--explore")
    if record is not None and not record.parent.is_dir():
        raise InvalidInput(f"Expected a file in a directory that exists, got `{record}`", at="--record")
    directory, chosen, changed = Runs(data).find(run), seeds or seeds_of(episodes), pairs(test_param, "--test-param")
    if record is None:
        found = evaluate_run(directory, checkpoint, chosen, changed)
    else:
        found = recorded(directory, checkpoint, chosen, changed, record, explore=explore or 0.0)
        warn(f"Wrote {record}")
    if json:
        print_json(found)
    else:
        _print(found)


def _print(found: Evaluated) -> None:
    console.print(f"[bold]{escape(found.policy)}[/] on {escape(found.env.id)}: interquartile mean return {found.score}")
    lengths = [episode.n_steps for episode in found.episodes]
    print_facts(
        [
            ("mean return", f"{found.mean_return:.6g}"),
            ("steps an episode", f"{sum(lengths) / len(lengths):.5g}"),
            *((name, f"{value:.6g}") for name, value in found.metrics.items()),
        ]
    )
