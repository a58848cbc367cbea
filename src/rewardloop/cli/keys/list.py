"""`rewardloop keys list`: which keys there are and what they may do."""

from __future__ import annotations

from collections.abc import Sequence

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.telling.printing import console, instant, print_json, print_table
from rewardloop.registry.api_keys import ApiKey
from rewardloop.registry.catalog import Catalog

_HEADER = ("name", "id", "roles", "experiments", "signs", "made at", "revoked at")


def list(*, data: Data = DEFAULT, json: AsJson = False) -> None:
    keys = _keys(data)
    if json:
        print_json([{name: getattr(key, name) for name in key.__struct_fields__ if name != "digest"} for key in keys])
    elif keys:
        print_table(_HEADER, map(_row, keys))
    else:
        console.print("No keys: whoever reaches a server may do everything. `rewardloop keys add NAME` makes one.")


def _keys(data: Data) -> Sequence[ApiKey]:
    if not data.exists():
        return []
    with Catalog(data) as catalog:
        return catalog.api_keys()


def _row(key: ApiKey) -> tuple[str, ...]:
    revoked = "" if key.revoked_at is None else instant(key.revoked_at)
    scope = ", ".join(key.experiments) or "all"
    return key.name, key.key_id, ", ".join(key.roles), scope, "yes" if key.signs else "", instant(key.created_at), revoked
