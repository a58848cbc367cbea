"""Script mode: a training script finds what a SageMaker training job has, in its environment, its arguments and on the PATH."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rewardloop.compat.sagemaker import vw_executable
from rewardloop.errors import InvalidInput, NotFound, RewardloopError
from rewardloop.scratch import Scratch

_CHANNEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOST = "algo-1"

Value = str | int | float | bool | None | list[object] | dict[str, object]


class ScriptFailed(RewardloopError):
    """The script ended with another exit code than 0."""

    code, title = "script-failed", "Script failed"


class Job(NamedTuple):
    """One run of a script."""

    script: Path
    channels: Mapping[str, Path]
    hyperparameters: Mapping[str, Value]
    model: Path
    """Where the script leaves its model."""
    output: Path
    """Where it leaves anything else."""


def run_script(job: Job, inherited: Mapping[str, str]) -> None:
    """Runs the script in its own folder. Raises `ScriptFailed` with its exit code, `NotFound`, `InvalidInput`."""
    _check(job)
    for directory in (job.model, job.output):
        directory.mkdir(parents=True, exist_ok=True)
    with Scratch() as place:
        path = f"{vw_executable.install(place).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
        environment = {**inherited, **variables(job), "PATH": path}
        code = subprocess.run(command(job), cwd=job.script.absolute().parent, env=environment, check=False).returncode
    if code != 0:
        raise ScriptFailed(f"{job.script} ended with exit code {code}; what it printed says why")


def variables(job: Job) -> dict[str, str]:
    """The environment of a training job.

    >>> job = Job(Path("train.py"), {"training": Path("/data")}, {"num-arms": 7}, Path("/model"), Path("/output"))
    >>> found = variables(job)
    >>> found["SM_CHANNELS"], found["SM_CHANNEL_TRAINING"], found["SM_HPS"], found["SM_HP_NUM-ARMS"], found["SM_MODEL_DIR"]
    ('["training"]', '/data', '{"num-arms": 7}', '7', '/model')
    """
    channels = {f"SM_CHANNEL_{name.upper()}": str(path.absolute()) for name, path in job.channels.items()}
    parameters = {f"SM_HP_{name.upper()}": _text(value) for name, value in job.hyperparameters.items()}
    plain = {
        "SM_CHANNELS": json.dumps(sorted(job.channels)),
        "SM_HPS": json.dumps(dict(job.hyperparameters)),
        "SM_USER_ARGS": json.dumps(arguments(job.hyperparameters)),
        "SM_MODEL_DIR": str(job.model.absolute()),
        "SM_OUTPUT_DIR": str(job.output.absolute()),
        "SM_OUTPUT_DATA_DIR": str(job.output.absolute()),
        "SM_MODULE_NAME": job.script.stem,
        "SM_CURRENT_HOST": _HOST,
        "SM_HOSTS": json.dumps([_HOST]),
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
    }
    return {**plain, **channels, **parameters}


def arguments(hyperparameters: Mapping[str, Value]) -> list[str]:
    """Hyperparameters as a script's own options.

    >>> arguments({"epsilon": 0.1, "k": 3})
    ['--epsilon', '0.1', '-k', '3']
    """
    return [word for name, value in hyperparameters.items() for word in ("-" * min(len(name), 2) + name, _text(value))]


def command(job: Job) -> Sequence[str]:
    """Python's scripts by this Python, the shell's by the shell."""
    interpreter = sys.executable if job.script.suffix == ".py" else "/bin/sh"
    return [interpreter, str(job.script.absolute()), *arguments(job.hyperparameters)]


def hyperparameter(text: str) -> tuple[str, Value]:
    """`epsilon=0.1`: the value is JSON where it is any, otherwise a text. Raises `InvalidInput`.

    >>> hyperparameter("epsilon=0.1"), hyperparameter("policy=egreedy")
    (('epsilon', 0.1), ('policy', 'egreedy'))
    """
    name, _, value = text.partition("=")
    if not _CHANNEL.fullmatch(name) or "=" not in text:
        raise InvalidInput(f"Expected a hyperparameter as NAME=VALUE, got `{text[:80]}`")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _check(job: Job) -> None:
    if job.script.suffix not in (".py", ".sh"):
        raise InvalidInput(f"Expected a script that ends in .py or .sh, got {job.script}")
    for path in (job.script, *job.channels.values()):
        if not path.exists():
            raise NotFound(f"Expected something at {path}, found nothing")
    for name in job.channels:
        if not _CHANNEL.fullmatch(name):
            raise InvalidInput(f"Expected a channel's name of letters, digits, `.`, `_` and `-`, got `{name[:80]}`")
