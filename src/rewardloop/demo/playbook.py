"""The demonstration from beginning to end: a world, a real server, a real loop, a client, a picture."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from rewardloop.charts import learning_curve, to_html, to_png
from rewardloop.client import Client, Unreachable
from rewardloop.clock import Clock
from rewardloop.demo.playing import Pace, play
from rewardloop.demo.processes import Child, ChildFailed, looping, serving
from rewardloop.demo.scores import Scores
from rewardloop.demo.watching import Show, summary, watching
from rewardloop.errors import Conflict, StorageUnavailable
from rewardloop.settings import (
    Duration,
    ExperimentSettings,
    PolicySettings,
    RewardSettings,
    TrainingSettings,
    checked,
    example_yaml,
)
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.classification import References, World

MARK = ".rewardloop-demo"


def perform(world: World, exploration: Exploration | None, pace: Pace, out: Path, *, console: Console, clock: Clock) -> Scores:
    """Play, show, and leave everything in `out`: the YAML, the data directory, the logs of both processes, the picture.

    Both processes are ended with it, whatever happens. Raises `ChildFailed` if one of them ends before.
    """
    settings = settings_for(world, exploration, pace)
    fresh(out)
    config, data = out / f"{settings.experiment}.yaml", out / "data"
    config.write_text(example_yaml(settings), encoding="utf-8")
    with ExitStack() as stack:
        server = stack.enter_context(serving(config, data, out / "serve.log"))
        references = world.references()
        url = server.url()
        loop = stack.enter_context(looping(config, data, out / "run.log"))
        client = stack.enter_context(Client(url, settings.experiment))
        with watching(console, pace.rounds, references, clock) as show:
            scores = _play(world, client, pace, clock, show=show, children=(server, loop))
    _picture(world, scores, references, out)
    console.print()
    console.print(summary(scores, references))
    return scores


def _play(world: World, client: Client, pace: Pace, clock: Clock, *, show: Show, children: Sequence[Child]) -> Scores:
    scores = Scores(pace.window)
    try:
        for played in play(world, client, clock, pace):
            show(scores, scores.add(played))
            for child in children:
                child.check()
    except Unreachable as error:
        for child in children:
            child.check()
        raise ChildFailed(f"The server did not answer: {error}") from None
    return scores


def settings_for(world: World, exploration: Exploration | None, pace: Pace) -> ExperimentSettings:
    """An experiment with the world's classes as fixed arms. Raises `InvalidSettings` where they cannot be such."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in world.name.lower()).strip("-_")[:60]
    return checked(
        ExperimentSettings(
            experiment=name or "demo",
            actions=world.actions,
            policy=PolicySettings(exploration=exploration),
            reward=RewardSettings(range=(0.0, 1.0), window=Duration(60_000_000)),
            training=TrainingSettings(every_events=pace.cycle, every=Duration(2_000_000)),
        )
    )


def _picture(world: World, scores: Scores, references: References, out: Path) -> None:
    lines = {
        "uniform": references.uniform,
        "best fixed arm": references.best_fixed,
        "full information": references.skyline,
    }
    title = f"{world.name}: mean reward of each {scores.window:,} rounds"
    chart = learning_curve(scores.ends, scores.means, references=lines, title=title, name="bandit")
    (out / "reward.png").write_bytes(to_png(chart))
    (out / "reward.html").write_text(to_html(chart, title=f"rewardloop on {world.name}"), encoding="utf-8")


def fresh(out: Path) -> None:
    """An earlier demonstration is replaced; anything else is left alone. Raises `Conflict`, `StorageUnavailable`."""
    try:
        if out.exists() and any(out.iterdir()):
            if not (out / MARK).exists():
                raise Conflict(f"Expected `{out}` to be new or an earlier demonstration's, found other files; use another --out")
            shutil.rmtree(out)
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).touch()
    except OSError as error:
        raise StorageUnavailable(f"Cannot write to `{out}`: {error.strerror}") from None
