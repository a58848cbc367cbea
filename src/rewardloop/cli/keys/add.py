"""`rewardloop keys add`: make a key and show it, once."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.telling.printing import console, print_facts, print_json
from rewardloop.clock import SystemClock
from rewardloop.errors import InvalidInput
from rewardloop.registry.api_keys import MAX_NAME, ApiKey, Role, new_token
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.signing import make_signing_root, signing_secret


def add(
    name: Annotated[str, Parameter(help="Who has it: shop, page, prometheus.")],
    /,
    *,
    role: Annotated[
        list[Role] | None,
        Parameter(name=["--role", "-r"], help="What it may do; repeat it. By default decide and reward."),
    ] = None,
    experiment: Annotated[
        list[str] | None, Parameter(name=["--experiment", "-e"], help="Only this one; repeat it. By default all.")
    ] = None,
    aws: Annotated[bool, Parameter(show_default=False, help="Also an access key id and secret, for boto3 and its like.")] = False,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    if not name.isprintable() or not 0 < len(name.strip()) <= MAX_NAME:
        raise InvalidInput(f"Expected a name of 1 to {MAX_NAME} printable characters, got {ascii(name)[:80]}")
    token = new_token(os.urandom)
    key = ApiKey(
        key_id=token.key_id,
        name=name,
        digest=token.digest,
        roles=tuple(dict.fromkeys(role or ("decide", "reward"))),
        experiments=tuple(dict.fromkeys(experiment or ())),
        signs=aws,
        created_at=SystemClock().now(),
    )
    with Catalog(data) as catalog:
        root = make_signing_root(DataDirectory(data).signing_root, os.urandom) if aws else None
        catalog.add_key(key)
    pair = {"aws_access_key_id": key.key_id, "aws_secret_access_key": signing_secret(root, key.key_id)} if root else {}
    shown = {"key": str(token), **pair}
    if json:
        print_json({"key_id": key.key_id, "name": name, "roles": key.roles, "experiments": key.experiments, **shown})
        return
    print_facts(shown.items())
    console.print(
        "[dim]Shown this once: keep it where you keep secrets. Send it as[/] X-API-Key[dim]; servers take it within a second.[/]"
    )
