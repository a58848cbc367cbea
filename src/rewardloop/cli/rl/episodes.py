"""`rewardloop rl episodes`: episodes from an experiment's own log, as a file to learn from and to evaluate on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.actions import Ranges
from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console, print_json, warn
from rewardloop.errors import InvalidInput
from rewardloop.rl.logged.experiments import gather
from rewardloop.rl.logged.files import write_episodes


def episodes(
    experiment: ExperimentName,
    file: Annotated[Path, Parameter(help="Where to: a Parquet file; replaced once all of it is written.")],
    /,
    *,
    cut: Annotated[bool, Parameter(show_default=False, help="Episodes were cut off by the clock, and would have gone on.")] = False,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    with open_experiment(experiment, data) as opened:
        ranges, name = opened.settings.ranges, opened.settings.experiment
        box = Ranges(*ranges) if ranges is not None else None
        joined = opened.join()
        logged, counts = gather(joined.interactions(), ended=not cut, policy=name, ranges=box)
    if logged is None:
        raise InvalidInput(
            f"Expected closed events whose ids are EPISODE:STEP, from step 0; {counts.n_unmarked:,} name no step, "
            f"{counts.n_broken:,} episodes lack one, {joined.ledger.open:,} events are open until their window ends or a final "
            "reward comes",
            at="EXPERIMENT",
        )
    write_episodes(file, logged)
    if json:
        print_json(counts)
        return
    console.print(f"Wrote {counts.n_episodes:,} episodes of {counts.n_steps:,} steps to {escape(str(file))}")
    if counts.n_broken:
        warn(f"Left out {counts.n_broken:,} episodes that lack a step, the first of them `{counts.first_broken}`")
    if counts.n_unmarked:
        warn(f"Left out {counts.n_unmarked:,} events whose ids name no step")
