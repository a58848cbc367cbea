"""`rewardloop serve`: the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from rewardloop.cli.loading import load
from rewardloop.cli.options import DEFAULT, Data
from rewardloop.cli.printing import console
from rewardloop.clock import SystemClock
from rewardloop.registry.catalog import Catalog
from rewardloop.serving.supervisor import serve as serve_forever


def serve(
    *configs: Annotated[Path, Parameter(help="YAML files of experiments to take in; those of earlier calls are served too.")],
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 takes a free one and says which.")] = 8080,
    workers: Annotated[PositiveInt, Parameter(name=["--workers", "-w"], help="Processes; one a core is best.")] = 1,
    data: Data = DEFAULT,
) -> None:
    """Answer decide and reward over HTTP, each decision logged before it is answered. Stop with Ctrl-C or SIGTERM.

    Example: rewardloop serve offers.yaml --workers 2
    """
    with Catalog(data) as catalog:
        for config in configs:
            catalog.register(load(config), SystemClock().now())
        names = [entry.name for entry in catalog.experiments()]
    if not names:
        console.print("[yellow]No experiment yet:[/] name a YAML file; `rewardloop init` writes one.")
    serve_forever(data, host, port, workers, lambda bound: _announce(host, bound, names))


def _announce(host: str, port: int, names: list[str]) -> None:
    url = f"http://{host}:{port}"
    console.print(f"Serving [bold]{', '.join(names) or 'nothing yet'}[/] on [bold]{url}[/] (API: {url}/openapi.json)")
    if names:
        console.print(f'[dim]try:[/] curl -X POST {url}/v1/experiments/{names[0]}/decide -d \'{{"context": {{"age": 31}}}}\'')
