"""`rewardloop serve`: the HTTP API."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import UInt16
from cyclopts.validators import Number

from rewardloop.cli.opening import settings_of
from rewardloop.cli.options import DEFAULT, Data
from rewardloop.cli.printing import console
from rewardloop.clock import SystemClock
from rewardloop.registry.catalog import Catalog
from rewardloop.serving.logs import configure_logs
from rewardloop.serving.supervisor import serve as serve_forever

MAX_WORKERS = 1024


def serve(
    *experiments: Annotated[str, Parameter(help="YAML files to take in; those of earlier calls are served too.")],
    host: Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 is every one of this machine.")] = "127.0.0.1",
    port: Annotated[UInt16, Parameter(help="0 takes a free one and says which.")] = 8080,
    workers: Annotated[
        int, Parameter(name=["--workers", "-w"], validator=Number(gte=1, lte=MAX_WORKERS), help="Processes; one a core is best.")
    ] = 1,
    data: Data = DEFAULT,
) -> None:
    settings = [settings_of(experiment, data) for experiment in experiments]
    with Catalog(data) as catalog:
        for each in settings:
            catalog.register(each, SystemClock().now())
        names = [entry.name for entry in catalog.experiments()]
    configure_logs("supervisor")
    serve_forever(data, host, port, workers, lambda bound: _announce(host, bound, names))


def _announce(host: str, port: int, names: list[str]) -> None:
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if not names:
        console.print(f"Serving no experiment yet on {url}: name a YAML file; `rewardloop init` writes one")
        return
    console.print(f"Serving [bold]{', '.join(names)}[/] on [bold]{url}[/]  (the API: {url}/openapi.json)")
    decide = f"{url}/v1/experiments/{names[0]}/decide"
    console.print(f'[dim]try:[/] curl {decide} -H content-type:application/json -d \'{{"context": {{"age": 31}}}}\'')
