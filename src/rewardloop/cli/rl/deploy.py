"""`rewardloop rl deploy`: a trained policy becomes a model of an experiment, and is hosted if nothing better is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import Checkpoint, RunName
from rewardloop.cli.telling.printing import console, print_json
from rewardloop.errors import UnknownExperiment
from rewardloop.loop.experiment import Experiment
from rewardloop.registry.catalog import Catalog
from rewardloop.rl.deploying import NOISE, Deployed, settings_for
from rewardloop.rl.deploying import deploy as deployed
from rewardloop.rl.playing.evaluating import exported_of
from rewardloop.rl.runs.run import RunDirectory, Runs

GATE_SAID_NO = 3


def deploy(
    run: RunName,
    /,
    *,
    experiment: Annotated[str, Parameter(name=["--experiment", "-e"], help="Its name or its YAML file; a new name is made.")],
    checkpoint: Checkpoint = "best",
    force: Annotated[bool, Parameter(show_default=False, help="Host it whatever the gate says.")] = False,
    noise: Annotated[
        float, Parameter(help="Deviation, as a share of the range, of continuous actions whose policy has none (td3, ddpg, ars).")
    ] = NOISE,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    sys.path.insert(0, os.getcwd())
    directory = Runs(data).find(run)
    with _opened(directory, checkpoint, experiment, data) as opened:
        found = deployed(directory, opened, checkpoint=checkpoint, force=force, noise=noise)
    if json:
        print_json(found)
    else:
        _print(found, experiment)
    sys.exit(GATE_SAID_NO if found.deployment is None else 0)


def _opened(directory: RunDirectory, checkpoint: str, experiment: str, data: Path) -> Experiment:
    """The experiment; what cannot be exported is refused before a new one is made, which would stay behind."""
    if Path(experiment).suffix in {".yaml", ".yml"}:
        return open_experiment(experiment, data)
    with Catalog(data) as catalog:
        try:
            settings = catalog.experiment(experiment).settings
        except UnknownExperiment:
            exported_of(directory, checkpoint)
            settings = settings_for(directory, experiment)
    return Experiment.open(settings, data)


def _print(found: Deployed, experiment: str) -> None:
    console.print(f"[bold]{found.model_id}[/]  {escape(found.source)}; acts as the policy does on {found.n_checked} observations")
    if found.report is not None:
        console.print(escape(found.report.summary))
    if found.deployment is not None:
        console.print(f"Hosted. Back with: rewardloop rollback {escape(experiment)}")
