"""Options that many commands share: where the data is, which experiment, text or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.loop.experiment import DEFAULT_DATA

Data = Annotated[Path, Parameter(name=["--data", "-d"], env_var="REWARDLOOP_DATA")]
"""The data directory: everything that was logged, joined, trained and hosted."""

AsJson = Annotated[bool, Parameter(name="--json", negative=())]
"""Print JSON for programs instead of text for people."""

ExperimentName = Annotated[str, Parameter(help="Name of an experiment in the data directory, or its YAML file.")]

DEFAULT = Path(DEFAULT_DATA)
