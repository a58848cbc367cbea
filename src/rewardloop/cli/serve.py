"""`rewardloop serve`: the HTTP API."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import UInt16
from cyclopts.validators import Number
from rich.markup import escape

from rewardloop.cli.asking.meant import known_settings, settings_of
from rewardloop.cli.asking.options import DEFAULT, Data
from rewardloop.cli.telling.changed import tell_changes
from rewardloop.cli.telling.printing import console, warn
from rewardloop.cli.telling.proposing import proposed
from rewardloop.clock import SystemClock
from rewardloop.errors import InvalidInput
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.records import ExperimentEntry
from rewardloop.serving.cors import Cors
from rewardloop.serving.link import Protection
from rewardloop.serving.logs import configure_logs
from rewardloop.serving.supervisor import serve as serve_forever

MAX_WORKERS = 1024


def serve(
    *experiments: Annotated[str, Parameter(help="YAML files to take in; those of earlier calls are served too.")],
    host: Annotated[
        str, Parameter(help="Address to listen on; 0.0.0.0 is every one of this machine, and wants API keys.")
    ] = "127.0.0.1",
    port: Annotated[UInt16, Parameter(help="0 takes a free one and says which.")] = 8080,
    workers: Annotated[
        int, Parameter(name=["--workers", "-w"], validator=Number(gte=1, lte=MAX_WORKERS), help="Processes; one a core is best.")
    ] = 1,
    tls_cert: Annotated[
        Path | None, Parameter(help="HTTPS with this certificate chain, a PEM file; taken in anew when it changes.")
    ] = None,
    tls_key: Annotated[Path | None, Parameter(help="Its private key, a PEM file without password.")] = None,
    cors_origin: Annotated[
        list[str] | None, Parameter(help="Pages of this origin may decide and reward; repeat it for more; * is any.")
    ] = None,
    rate_limit: Annotated[
        float,
        Parameter(validator=Number(gte=0), help="Requests a second of each key, or address without; in each worker; 0 is any."),
    ] = 0.0,
    insecure: Annotated[
        bool, Parameter(show_default=False, help="Ask for no API key, on any address: where a proxy asks who is calling.")
    ] = False,
    data: Data = DEFAULT,
) -> None:
    if (tls_cert is None) != (tls_key is None):
        raise InvalidInput(f"Expected --tls-cert and --tls-key together, got one: {tls_cert or tls_key}")
    Cors(cors_origin or ())
    protection = Protection(
        insecure=insecure,
        tls_certificate=str(tls_cert or ""),
        tls_key=str(tls_key or ""),
        cors_origins=tuple(cors_origin or ()),
        rate_limit=rate_limit,
    )
    settings = [settings_of(experiment, data) for experiment in experiments]
    before = [known_settings(each.experiment, data) for each in settings]
    with Catalog(data) as catalog:
        for each in settings:
            catalog.register(each, SystemClock().now())
        entries = catalog.experiments()
        body = proposed(catalog, entries[0]) if entries else None
        has_keys = bool(catalog.api_keys())
    for old, new in zip(before, settings, strict=True):
        tell_changes(old, new)
    configure_logs("supervisor")
    if insecure and has_keys:
        warn("No API key is asked for, though there are some: --insecure")
    scheme = "https" if tls_cert else "http"
    serve_forever(
        data,
        host,
        port,
        workers,
        lambda bound: _announce(_url(scheme, host, bound), entries, body, has_keys and not insecure),
        protection=protection,
        has_keys=has_keys,
    )
    console.print("Stopped: every answer that left is in the log")


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _announce(url: str, entries: list[ExperimentEntry], body: str | None, asks: bool) -> None:
    if not entries:
        console.print(f"Serving no experiment yet on {url}: name a YAML file; `rewardloop init` writes one")
        return
    first, names = entries[0], ", ".join(entry.name for entry in entries)
    console.print(f"Serving [bold]{names}[/] on [bold]{url}[/]  (the API: {url}/openapi.json)")
    if body is not None:
        decide = f"{url}/v1/experiments/{first.name}/decide"
        key = " -H x-api-key:KEY" if asks else ""
        console.print(f"[dim]try:[/] curl {decide}{key} -H content-type:application/json -d {escape(quote(body))}")
