"""`rewardloop import personalizer`: configuration and policy of a Personalizer resource become an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.new_file import write_new
from rewardloop.cli.asking.options import DEFAULT, Data
from rewardloop.cli.telling.printing import console, warn
from rewardloop.clock import SystemClock
from rewardloop.compat.personalizer.importing import imported
from rewardloop.durable import storage
from rewardloop.errors import NotFound
from rewardloop.json_values import load_json
from rewardloop.registry.catalog import Catalog
from rewardloop.settings import example_yaml


def personalizer(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"], help="Service configuration, as JSON.")],
    policy: Annotated[Path | None, Parameter(name=["--policy", "-p"], help="Policy, as JSON; by default the one here.")] = None,
    name: Annotated[str, Parameter(help="Of the experiment: lower-case letters, digits, - and _.")] = "personalizer",
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="File to write; by default NAME.yaml.")] = None,
    data: Data = DEFAULT,
) -> None:
    settings, notes = imported(name, _read(config), _read(policy) if policy else None)
    path = out or Path(f"{name}.yaml")
    write_new(path, example_yaml(settings))
    with Catalog(data) as catalog:
        catalog.register(settings, SystemClock().now())
    for note in notes:
        warn(note)
    console.print(f"Wrote {path}. Next:  [bold]rewardloop serve {path}[/]  and, beside it,  [bold]rewardloop run {path}[/]")
    console.print(f"The endpoint for Personalizer's SDKs: http://127.0.0.1:8080/experiments/{name}")


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise NotFound(f"Expected a JSON file, found none at `{path}`")
    with storage(path):
        raw = path.read_bytes()
    load_json(raw, str(path))
    return raw
