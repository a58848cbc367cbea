"""`rewardloop rl compare`: trained policies beside chance, schedules, the best constant and rules, on the same episodes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.charts import to_png
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import Checkpoint, EnvId, EnvParameters, Episodes, TestParameters, pairs
from rewardloop.cli.telling.printing import console, json_document, print_json, print_table, warn
from rewardloop.cli.telling.writing import ReportFiles, check_reports, write_reports
from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.playing.charts import comparison_page, comparison_picture, comparison_table
from rewardloop.rl.playing.comparing import compare as compared
from rewardloop.rl.playing.controllers import load_rule
from rewardloop.rl.runs.run import Runs


def compare(
    *runs: Annotated[str, Parameter(help="Runs to compare; those that differ in their seed alone are one row.")],
    env: EnvId = None,
    env_param: EnvParameters = (),
    test_param: TestParameters = (),
    episodes: Episodes = 10,
    constants: Annotated[int, Parameter(help="Constant actions to try for the best one; 0: no constant.")] = 30,
    controller: Annotated[
        tuple[str, ...],
        Parameter(consume_multiple=False, show_default=False, help="module:function from observation to action."),
    ] = (),
    checkpoint: Checkpoint = "best",
    report: ReportFiles = (),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    sys.path.insert(0, os.getcwd())
    check_reports(report)
    known = [Runs(data).find(name) for name in runs]
    if env is None and not known:
        raise InvalidInput("Expected runs to compare, or an environment to compare baselines on", at="--env")
    spec = EnvSpec(env, pairs(env_param, "--env-param")) if env is not None else known[0].read().plan.env
    found = compared(
        spec,
        known,
        overrides=pairs(test_param, "--test-param"),
        n_episodes=episodes,
        checkpoint=checkpoint,
        rules={name: load_rule(name) for name in controller},
        n_constants=constants,
        say=lambda name: None if json else warn(f"playing {name}"),
    )
    write_reports(
        report,
        {
            ".html": lambda: comparison_page(found),
            ".png": lambda: to_png(comparison_picture(found)),
            ".json": lambda: json_document(found),
        },
    )
    if json:
        print_json(found)
        return
    table = comparison_table(found)
    print_table(table.header, table.rows)
    console.print(f"[bold]Highest: {escape(found.best.policy)}[/], {found.best.score}")
