"""The demonstration from beginning to end: a world, a real server, a real loop, a client, a picture."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from rewardloop.charts import learning_curve, to_html, to_png
from rewardloop.client import Client
from rewardloop.clock import SystemClock
from rewardloop.demo.playing import play
from rewardloop.demo.processes import looping, serving
from rewardloop.demo.watching import Scores, Screen, summary
from rewardloop.demo.worlds import References, World
from rewardloop.errors import Conflict
from rewardloop.settings import Duration, ExperimentSettings, PolicySettings, RewardSettings, TrainingSettings
from rewardloop.settings.dump import example_yaml
from rewardloop.settings.schema import Exploration

MARK = ".rewardloop-demo"
N_WINDOWS = 40
ROUNDS = 16_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to play."""

    rounds: int = ROUNDS
    batch: int = 25
    rounds_per_second: float = 250.0
    seed: int = 0


def perform(world: World, exploration: Exploration | None, plan: Plan, out: Path, console: Console) -> Scores:
    """Play, show, and leave everything in `out`: the YAML, the data directory, the logs of both processes, the picture."""
    _fresh(out)
    config = out / f"{world.name}.yaml"
    settings = _settings(world, exploration)
    config.write_text(example_yaml(settings), encoding="utf-8")
    references = world.references()
    scores = Scores(window=max(plan.rounds // N_WINDOWS, 1))
    screen = Screen(plan.rounds, references)
    with ExitStack() as stack:
        url = stack.enter_context(serving(config, out / "data", out / "serve.log"))
        stack.enter_context(looping(config, out / "data", out / "run.log"))
        client = stack.enter_context(Client(url, settings.experiment))
        live = stack.enter_context(Live(screen.show(scores), console=console, refresh_per_second=4))
        pace = plan.rounds_per_second
        for played in play(
            world, client, SystemClock(), rounds=plan.rounds, batch=plan.batch, rounds_per_second=pace, seed=plan.seed
        ):
            scores.add(played)
            live.update(screen.show(scores))
    _picture(world, scores, references, out)
    console.print(summary(scores, references))
    return scores


def _settings(world: World, exploration: Exploration | None) -> ExperimentSettings:
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in world.name.lower()).strip("-_")[:60]
    return ExperimentSettings(
        experiment=name or "demo",
        actions=world.actions,
        policy=PolicySettings(exploration=exploration),
        reward=RewardSettings(range=(0.0, 1.0), window=Duration(60_000_000)),
        training=TrainingSettings(every_events=500, every=Duration(2_000_000)),
    )


def _picture(world: World, scores: Scores, references: References, out: Path) -> None:
    rounds = [scores.window * (i + 1) for i in range(len(scores.means))]
    lines = {
        "uniform": references.uniform,
        "best fixed arm": references.best_fixed,
        "full information": references.skyline,
    }
    chart = learning_curve(rounds, scores.means, references=lines, title=f"{world.name}: mean reward of {scores.window} rounds")
    (out / "reward.png").write_bytes(to_png(chart))
    (out / "reward.html").write_text(to_html(chart, title=f"rewardloop on {world.name}"), encoding="utf-8")


def _fresh(out: Path) -> None:
    """An earlier demonstration is replaced; anything else is left alone."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).exists():
            raise Conflict(
                f"Expected `{out}` to be new or an earlier demonstration's, found other files; choose another with --out"
            )
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).touch()
