"""`rewardloop rl algorithms`: what can be trained, on what."""

from __future__ import annotations

from rewardloop.cli.asking.options import AsJson
from rewardloop.cli.rl.options import EnvId, EnvParameters, pairs
from rewardloop.cli.telling.printing import console, print_json, print_table, warn
from rewardloop.errors import InvalidInput
from rewardloop.rl.algorithms import NOT_OFFERED, Algorithm
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.runs.training import facts_of_env
from rewardloop.rl.toolkit import load_toolkit, toolkits


def algorithms(*, env: EnvId = None, env_param: EnvParameters = (), json: AsJson = False) -> None:
    """`env`: only those that can be trained on it."""
    rows = _rows()
    if env is not None:
        facts = facts_of_env(EnvSpec(env, pairs(env_param, "--env-param")))
        rows = [row for row in rows if row.fits(facts)]
    if json:
        print_json(rows)
        return
    if env is not None:
        console.print(f"[dim]{facts.spaces}[/]")
    print_table(("algorithm", "toolkit", "actions", "observations", "features", "ONNX", "exact resume"), map(_row, rows))
    for missing in NOT_OFFERED if env is None else ():
        console.print(f"[dim]not offered: {', '.join(missing.names)} of {missing.toolkit}: {missing.why}[/]")


def _rows() -> list[Algorithm]:
    found: list[Algorithm] = []
    for name in sorted(toolkits(), reverse=True):
        try:
            found += load_toolkit(name).algorithms()
        except InvalidInput as error:
            warn(str(error))
    return found


def _row(row: Algorithm) -> tuple[str, ...]:
    words = (row.name, row.toolkit, " ".join(row.actions), " ".join(row.observations), " ".join(row.features))
    return (*words, "yes" if row.exports else "no", "yes" if row.exact_resume else "no")
