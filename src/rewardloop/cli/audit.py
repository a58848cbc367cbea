"""`rewardloop audit`: why this action, and can it be reproduced?"""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from rewardloop.cli.options import DEFAULT, AsJson, Data
from rewardloop.cli.printing import console, facts, print_json
from rewardloop.features import parse_actions
from rewardloop.loop.auditing import Audit
from rewardloop.loop.experiment import Experiment, experiment_of


def audit(
    event_id: str,
    /,
    *,
    experiment: Annotated[str | None, Parameter(help="Needed only where the event id is your own.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    """Replay a logged decision: its model, context and seed give the same pmf, action and probability. Exit code 1 if not.

    Example: rewardloop audit 0190f7a0-0000-7003-8000-000000000001
    """
    with Experiment.open(experiment or experiment_of(event_id, data), data) as opened:
        found = opened.audit(event_id)
    if json:
        print_json(found)
    else:
        _print(found)
    sys.exit(0 if found.same else 1)


def _print(found: Audit) -> None:
    rewards = ", ".join(f"{reward.reward:g}" for reward in found.rewards) or "none yet"
    rows = {"decided": found.decided_at, "model": found.model_id, "seed": found.seed, "context": bytes(found.context).decode()}
    console.print(facts(f"Event {found.event_id} of {found.experiment}", {**rows, "rewards": rewards}))
    table = Table("action", "logged", "replayed", box=None, pad_edge=False)
    for i, action in enumerate(parse_actions(bytes(found.actions)).ids):
        mark = " ← chosen" if i == found.logged.action else ""
        table.add_row(f"{action}{mark}", f"{found.logged.pmf[i]:.6f}", f"{found.replayed.pmf[i]:.6f}")
    console.print(table)
    console.print("[green]The same to the bit.[/]" if found.same else "[red]The replay differs from the log.[/]")
