"""Trainings as processes of their own, some at a time: the command that anybody could type, a seed each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from rewardloop.demo.hvac.stages import Effort, Stage
from rewardloop.demo.processes import Child, training
from rewardloop.rl.runs.run import RunDirectory, Runs
from rewardloop.rl.runs.training import reports_of

POLL_SECONDS: Final = 0.25
N_EVALUATED: Final = 5
Watch = Callable[[Sequence[int]], None]
"""Hears how many steps each training has done."""


def trained(stage: Stage, begins_at: Sequence[float], effort: Effort, out: Path, watch: Watch) -> list[RunDirectory]:
    """One run a seed, some side by side. Raises `ChildFailed` as soon as one fails; none is left behind."""
    directories = [RunDirectory(Runs(out / "data").root / f"ppo-{seed}") for seed in effort.seeds]
    waiting = list(zip(effort.seeds, directories, strict=True))
    running: list[tuple[Child, RunDirectory]] = []
    with ExitStack() as stack:
        while waiting or running:
            while waiting and len(running) < effort.at_once:
                seed, directory = waiting.pop(0)
                name = directory.root.name
                arguments = command(stage, begins_at, seed, out)
                running.append((stack.enter_context(training(name, arguments, out / f"{name}.log")), directory))
            running = [(child, directory) for child, directory in running if not child.done()]
            watch([_n_steps(directory) for directory in directories])
            time.sleep(POLL_SECONDS)
    return directories


def command(stage: Stage, begins_at: Sequence[float], seed: int, out: Path) -> list[str]:
    """What comes after `rewardloop rl train`."""
    given = {**stage.parameters, "initial_action": list(begins_at)}
    return [
        *("--env", stage.env.id, "--algo", "ppo", "--bare", "--normalise", "--steps", str(stage.n_steps)),
        *("--seed", str(seed), "--run", f"ppo-{seed}", "--data", str(out / "data"), "--json"),
        *("--checkpoint-every", str(stage.checkpoint_every), "--eval-episodes", str(N_EVALUATED)),
        *_named("--env-param", {**stage.env.parameters, **stage.trained_with}),
        *_named("--param", given),
    ]


def _named(option: str, values: Any) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={msgspec.json.encode(value).decode()}")]


def _n_steps(directory: RunDirectory) -> int:
    reports = reports_of(directory)
    return reports[-1].progress.n_steps if reports else 0
