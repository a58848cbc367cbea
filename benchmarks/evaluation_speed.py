"""Rows a second of the estimators beside their peers, on the same events in the same run, and whether they say the same.

    python -m benchmarks.evaluation_speed [--peers .venv-evaluation-peers/bin/python]

The peers pin a numpy that is not ours, so they run in an environment of their own, which `make bench` makes. Ours begin where
theirs do: at the distributions of ten actions, not at ready weights. CPU time. Where a peer is missing, its figures are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import App

from benchmarks.evaluation_peer import made, timed
from rewardloop.actions import fixed_actions
from rewardloop.evaluation import ESTIMATORS, bernstein_sequence, cressie_read, sample
from rewardloop.interactions import Floats, Interactions

K = 10
PEERS = Path(f"{sys.prefix}-evaluation-peers") / "bin" / "python"

app = App()


def events(n: int) -> tuple[Interactions, Floats, Floats]:
    """The log, the target's distributions and a reward model's predictions."""
    logged, target, action, reward, q = made(n, K)
    arms = fixed_actions([str(arm) for arm in range(K)])
    log = Interactions(
        event_ids=[""] * n,
        contexts=[{}] * n,
        actions=[arms] * n,
        action=action.astype(np.int64),
        probability=logged[np.arange(n), action],
        reward=reward,
        pmf=logged.ravel(),
        offsets=np.arange(n + 1, dtype=np.int64) * K,
        sample_prob=np.ones(n),
        closed_at=np.zeros(n, np.int64),
    )
    return log, target.ravel(), q.ravel()


def ours(n: int) -> dict[str, Any]:
    log, target, q = events(n)

    def estimate(name: str) -> float:
        return float(ESTIMATORS[name](sample(log, target, q)).mean())

    def weights() -> Floats:
        return np.asarray(target[log.chosen] / log.probability, dtype=np.float64)

    def sequence() -> float:
        scores = weights() * log.reward
        return float(bernstein_sequence(scores, 0.95, (0.0, float(scores.max()))).lower[-1])

    runs: dict[str, Callable[[], float]] = {name: partial(estimate, name) for name in ("ips", "dr", "dros", "cdr")}
    runs["cressie_read"] = lambda: cressie_read(weights(), log.reward, 0.95, (0.0, 1.0)).value
    runs["sequence"] = sequence
    return {name: timed(run, n) for name, run in runs.items()}


@app.default
def main(peers: Path = PEERS, n: int = 400_000, n_slow: int = 20_000) -> None:
    found: dict[str, Any] = {"ours": ours(n), "obp": {"missing": f"no environment {peers}"}}
    if peers.exists():
        command = [str(peers), str(Path(__file__).parent / "evaluation_peer.py"), str(n), str(n_slow), str(K)]
        found |= json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    mine = found["ours"]
    found["times_as_fast"] = {
        f"{name} over {peer}": mine[name]["million_rows_a_second"] / theirs["million_rows_a_second"]
        for peer in ("obp", "vw_estimators")
        for name, theirs in found.get(peer, {}).items()
        if name != "missing"
    }
    found["apart"] = {
        name: abs(mine[name]["value"] - found["obp"][name]["value"]) for name in ("ips", "dr") if name in found["obp"]
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    app()
