"""Options that many commands share: where the data is, which experiment, text or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.registry.layout import DEFAULT_DATA

DEFAULT = Path(DEFAULT_DATA)

Data = Annotated[
    Path,
    Parameter(
        name=["--data", "-d"],
        env_var="REWARDLOOP_DATA",
        help="Data directory: everything logged, joined, trained and hosted.",
    ),
]

AsJson = Annotated[bool, Parameter(name="--json", show_default=False, help="JSON for programs.")]

ExperimentName = Annotated[str, Parameter(help="Name of an experiment in the data directory, or its YAML file.")]

EventExperiment = Annotated[
    str | None, Parameter(name=["--experiment", "-e"], help="Its experiment; needed only where the event id is your own.")
]

EventId = Annotated[str, Parameter(help="As `decide` answered it.")]

ModelId = Annotated[str, Parameter(help="Such as offers.4; `status` lists them.")]

Sticky = Annotated[
    str | None,
    Parameter(help="A feature of the context, such as user.id: one value, one variant. By default as the settings say."),
]
