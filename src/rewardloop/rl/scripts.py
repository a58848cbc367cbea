"""Script mode: a training script of the user's own, run with a directory, a seed and hyperparameters given in a documented way.

The script gets each hyperparameter as `--name value`, and the environment variables of `surroundings`. What it prints is shown
and kept; what it leaves in its run directory is its own business. Exit code 0 means done.
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from rewardloop.clock import Clock
from rewardloop.errors import InvalidInput, TrainingFailed
from rewardloop.rl.runs.run import Manifest, RunDirectory, Runs, Status, Watching, versions_now
from rewardloop.rl.spaces import Facts
from rewardloop.rl.toolkit import Plan

LOG: Final = "script.log"
HYPERPARAMETERS: Final = "hyperparameters.json"
MODEL: Final = "model"
_LAST_LINES: Final = 3


def run_script(
    runs: Runs,
    script: Path,
    plan: Plan,
    clock: Clock,
    *,
    facts: Facts | None,
    environ: Mapping[str, str],
    name: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Run the script to its end; raises `TrainingFailed` with its last words where it fails."""
    if not script.is_file():
        raise InvalidInput(f"Expected a training script, found no file `{script}`", at="--script")
    directory = runs.new(name, script.stem)
    with directory.lease():
        manifest = _manifest(directory, script, plan, facts, clock)
        directory.write(manifest)
        (directory.root / MODEL).mkdir(exist_ok=True)
        (directory.root / HYPERPARAMETERS).write_bytes(msgspec.json.encode(plan.parameters))
        try:
            code, last = _ran(script, directory, plan, environ, say)
        except BaseException as error:
            _end(directory, manifest, "interrupted", type(error).__name__, clock)
            raise
        if code:
            sentence = f"`{script.name}` ended with exit code {code}; its last words: {last}"
            _end(directory, manifest, "failed", sentence, clock)
            raise TrainingFailed(sentence)
        return _end(directory, manifest, "done", "", clock)


def surroundings(directory: RunDirectory, plan: Plan) -> dict[str, str]:
    """The environment variables a script is started with, beside those there are.

    The first five are ours; the `SM_` ones are what scripts written for SageMaker read.
    """
    return {
        "REWARDLOOP_RUN": str(directory.root.absolute()),
        "REWARDLOOP_ENV": plan.env.id,
        "REWARDLOOP_ENV_PARAMETERS": msgspec.json.encode(plan.env.parameters).decode(),
        "REWARDLOOP_SEED": str(plan.seed),
        "REWARDLOOP_STEPS": str(plan.n_steps),
        "REWARDLOOP_HYPERPARAMETERS": str((directory.root / HYPERPARAMETERS).absolute()),
        "SM_MODEL_DIR": str((directory.root / MODEL).absolute()),
        "SM_OUTPUT_DATA_DIR": str(directory.root.absolute()),
        "SM_HPS": msgspec.json.encode(plan.parameters).decode(),
    }


def command(script: Path, parameters: Mapping[str, Any]) -> list[str]:
    """
    >>> command(Path("train.py"), {"gamma": 0.9, "net": [64, 64]})[1:]
    ['train.py', '--gamma', '0.9', '--net', '[64,64]']
    """
    words = [sys.executable, str(script)]
    for name, value in parameters.items():
        words += [f"--{name}", value if isinstance(value, str) else msgspec.json.encode(value).decode()]
    return words


def _ran(
    script: Path, directory: RunDirectory, plan: Plan, environ: Mapping[str, str], say: Callable[[str], None]
) -> tuple[int, str]:
    last: deque[str] = deque(maxlen=_LAST_LINES)
    process = subprocess.Popen(
        command(script, plan.parameters),
        env={**environ, **surroundings(directory, plan), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    try:
        with process.stdout, (directory.root / LOG).open("a") as log:
            for line in process.stdout:
                log.write(line)
                last.append(line.strip())
                say(line.rstrip("\n"))
        return process.wait(), " / ".join(line for line in last if line) or "none"
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _manifest(directory: RunDirectory, script: Path, plan: Plan, facts: Facts | None, clock: Clock) -> Manifest:
    return Manifest(
        run=directory.root.name,
        plan=plan,
        watching=Watching(),
        script=str(script.absolute()),
        spaces=facts.spaces if facts else "",
        spaces_hash=facts.spaces_hash if facts else "",
        versions=versions_now(),
        started_at=clock.now(),
    )


def _end(directory: RunDirectory, manifest: Manifest, status: Status, reason: str, clock: Clock) -> Manifest:
    ended = msgspec.structs.replace(manifest, status=status, reason=reason, ended_at=clock.now())
    directory.write(ended)
    return ended
