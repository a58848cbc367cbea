"""`rewardloop keys revoke`: end a key."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.options import DEFAULT, Data
from rewardloop.cli.telling.printing import console
from rewardloop.clock import SystemClock
from rewardloop.registry.catalog import Catalog


def revoke(key: Annotated[str, Parameter(help="Its name or its id.")], /, *, data: Data = DEFAULT) -> None:
    with Catalog(data) as catalog:
        ended = catalog.revoke_key(key, SystemClock().now())
    console.print(f"Key [bold]{ended.name}[/] ({ended.key_id}) is revoked: servers refuse it within a second")
