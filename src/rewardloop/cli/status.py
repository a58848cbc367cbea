"""`rewardloop status`: what is hosted, what was learned, where every record went."""

from __future__ import annotations

import msgspec
from rich.table import Table

from rewardloop.cli.options import DEFAULT, AsJson, Data
from rewardloop.cli.printing import console, facts, print_json
from rewardloop.clock import isoformat
from rewardloop.loop.status import Status, statuses


def status(experiment: str | None = None, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    """The state of one experiment, or of all.

    Example: rewardloop status offers
    """
    found = statuses(data, experiment)
    if json:
        print_json(found)
        return
    if not found:
        console.print(f"No experiment in {data} yet. `rewardloop init` writes one; `serve` and `run` take it in.")
    for each in found:
        _print(each)


def _print(state: Status) -> None:
    hosted = f"{state.hosted} since {isoformat(state.hosted_at)}" if state.hosted_at else f"{state.hosted} (uniform, untrained)"
    rows: dict[str, object] = {"hosted": hosted, "policy": state.exploration, "models": len(state.models)}
    console.print(facts(state.experiment, {**rows, **msgspec.structs.asdict(state.ledger)}))
    table = Table("model", "parent", "trained on", "mean reward", "verdict", box=None, pad_edge=False)
    for model in state.models[-10:]:
        reward = f"{model.mean_reward:.4f}" if model.mean_reward is not None else ""
        table.add_row(model.model_id, model.parent or "", str(model.n_trained), reward, model.verdict or "")
    console.print(table)
