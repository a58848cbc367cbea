"""`rewardloop run-script`: a SageMaker training script, here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.options import DEFAULT, Data
from rewardloop.cli.telling.printing import console
from rewardloop.compat.sagemaker.joined import folder
from rewardloop.compat.sagemaker.script import Job, hyperparameter
from rewardloop.compat.sagemaker.script import run_script as run_job
from rewardloop.errors import InvalidInput
from rewardloop.registry.layout import DataDirectory


def run_script(
    script: Annotated[Path, Parameter(help="A .py or .sh file; it runs in its own folder.")],
    /,
    *,
    channel: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=False,
            help="NAME=FOLDER, becomes SM_CHANNEL_NAME; joined data too, as ExperimentManager names it (s3://rewardloop/…).",
        ),
    ] = None,
    hyperparameter_: Annotated[
        list[str] | None,
        Parameter(
            name=["--hyperparameter", "-p"],
            consume_multiple=False,
            help="NAME=VALUE, into SM_HPS, SM_HP_NAME and the script's own options.",
        ),
    ] = None,
    model_dir: Annotated[Path, Parameter(help="SM_MODEL_DIR: where the script leaves its model.")] = Path("model"),
    output_dir: Annotated[Path, Parameter(help="SM_OUTPUT_DATA_DIR: where it leaves anything else.")] = Path("output"),
    data: Data = DEFAULT,
) -> None:
    channels = dict(_channel(text, data) for text in channel or ())
    run_job(Job(script, channels, dict(map(hyperparameter, hyperparameter_ or ())), model_dir, output_dir), os.environ)
    console.print(f"Done. The model is in {model_dir}")


def _channel(text: str, data: Path) -> tuple[str, Path]:
    name, _, where = text.partition("=")
    if not name or not where:
        raise InvalidInput(f"Expected a channel as NAME=FOLDER, got `{text[:80]}`")
    return name, folder(where, DataDirectory(data)) if where.startswith("s3://") else Path(where)
