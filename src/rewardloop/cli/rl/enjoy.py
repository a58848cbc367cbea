"""`rewardloop rl enjoy`: one episode of a trained policy, step by step, as a table, a strip chart or a film."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from rewardloop.charts import to_html, to_png
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import Checkpoint, RunName, TestParameters, pairs
from rewardloop.cli.telling.printing import console, json_document, print_json, print_table, warn
from rewardloop.cli.telling.writing import ReportFiles, check_reports, write_reports
from rewardloop.durable import replace_file
from rewardloop.errors import InvalidInput
from rewardloop.rl.guarding import make_guarded
from rewardloop.rl.playing.charts import episode_chart
from rewardloop.rl.playing.episodes import Episode, Step, play
from rewardloop.rl.playing.evaluating import FIRST_SEED, actor_of, over
from rewardloop.rl.playing.videos import Camera, to_gif
from rewardloop.rl.runs.run import Runs

_SHOWN = 12


def enjoy(
    run: RunName,
    /,
    *,
    seed: Annotated[int, Parameter(help="Of the episode.")] = FIRST_SEED,
    checkpoint: Checkpoint = "best",
    test_param: TestParameters = (),
    report: ReportFiles = (),
    video: Annotated[Path | None, Parameter(help="File to write an animated GIF to, where the environment renders.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    sys.path.insert(0, os.getcwd())
    check_reports(report)
    if video is not None and video.suffix != ".gif":
        raise InvalidInput(f"Expected a file name that ends in .gif, got `{video}`", at="--video")
    directory = Runs(data).find(run)
    plan = directory.read().plan
    spec = over(plan.env, pairs(test_param, "--test-param"))
    actor = actor_of(directory, checkpoint, spec)
    env = make_guarded(spec, plan.step_timeout_s, render=video is not None)
    try:
        camera, steps = Camera(env), list[Step]()

        def look(step: Step) -> None:
            steps.append(step)
            if video is not None:
                camera(step)

        episode = play(env, actor, seed, look)
        chart = episode_chart(env, steps, episode)
    finally:
        env.close()
    if video is not None:
        replace_file(video, to_gif(camera.frames))
        warn(f"Wrote {video}")
    write_reports(
        report,
        {".html": lambda: to_html(chart, chart.title), ".png": lambda: to_png(chart), ".json": lambda: json_document(episode)},
    )
    if json:
        print_json(episode)
    else:
        _print(steps, episode)


def _print(steps: Sequence[Step], episode: Episode) -> None:
    """The first steps and the last."""
    half = _SHOWN // 2
    rows = [(str(i), _words(step.action), f"{step.reward:.5g}") for i, step in enumerate(steps)]
    print_table((">step", "action", ">reward"), rows if len(rows) <= _SHOWN else [*rows[:half], *rows[-half:]])
    console.print(f"[bold]return {episode.episode_return:.6g}[/] in {episode.n_steps} steps")
    for name, value in episode.metrics.items():
        console.print(f"{name} {value:.6g}")


def _words(action: Any) -> str:
    return np.array2string(np.asarray(action), precision=4, threshold=8)
