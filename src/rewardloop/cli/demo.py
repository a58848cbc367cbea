"""`rewardloop demo`: the whole loop on real data, in two minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from rewardloop.cli.printing import console
from rewardloop.demo.playbook import ROUNDS, Plan, perform
from rewardloop.demo.worlds import digits, from_csv
from rewardloop.settings.schema import Exploration


def demo(
    *,
    data: Annotated[Path | None, Parameter(help="A CSV with a label column; by default handwritten digits.")] = None,
    label: Annotated[str | None, Parameter(help="The label column; by default the last.")] = None,
    policy: Annotated[Exploration | None, Parameter(help="Exploration policy.")] = None,
    rounds: Annotated[PositiveInt, Parameter(help="How many decisions to ask for.")] = ROUNDS,
    seed: int = 0,
    out: Annotated[Path, Parameter(help="Where everything is left.")] = Path("rewardloop-demo"),
) -> None:
    """Start a real server and a real loop, play a bandit over HTTP on real data, and watch the reward climb.

    Example: rewardloop demo --policy squarecb
    """
    world = from_csv(data, label) if data else digits()
    console.print(
        f"[bold]{world.name}[/]: {len(world.contexts)} rows, {len(world.actions)} actions. Every decision is asked for over HTTP "
        "and logged; only the\nreward of the chosen action comes back. Beside the server a loop joins, trains, evaluates, deploys."
    )
    perform(world, policy, Plan(rounds=rounds, seed=seed), out, console)
    console.print(f"Pictures: {out}/reward.png, {out}/reward.html. Look around: rewardloop status --data {out}/data")
