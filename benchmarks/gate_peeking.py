"""A/A of the gate under continuous peeking: how often is a candidate promoted that is as good as what is hosted, and no better?

    python -m benchmarks.gate_peeking [--runs 2000]

Five arms; the hosted policy and the candidate are right on 7 events in 10 each, on different ones, logged by a third with an
epsilon of .2. The hold-out grows from 500 to 5,000 events. The whole strict gate is asked after every 500, reward model fitted anew
each time; the confidence sequence it decides by is looked at after every event; an interval for one look, which the gate does not
use, after every 100. A run counts where it is promoted at any look. Prints shares of the runs as a JSON document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from cyclopts import App

from rewardloop.actions import fixed_actions
from rewardloop.evaluation import asymptotic_sequence, evaluate, normal
from rewardloop.interactions import Floats, Interactions
from rewardloop.settings import GateSettings

ARMS = fixed_actions(["a", "b", "c", "d", "e"])
K = len(ARMS)
FIRST, LAST, EVERY = 500, 5_000, 500
LEVEL = 0.95
GATE = GateSettings(rule="strict", level=LEVEL)

app = App()


def made(generator: np.random.Generator) -> tuple[Interactions, Floats, Floats]:
    """The log, and the distributions of two policies that earn the same: (LAST·K,) each."""
    right = generator.integers(K, size=LAST)
    logging, candidate, hosted = (_spread(right, generator, epsilon) for epsilon in (0.2, 0.02, 0.02))
    action = (logging.cumsum(axis=1) > generator.random((LAST, 1)) * logging.sum(axis=1, keepdims=True)).argmax(axis=1)
    hint = right + generator.normal(size=(2, LAST))
    log = Interactions(
        event_ids=[f"e{i}" for i in range(LAST)],
        contexts=[{"x": x, "y": y} for x, y in hint.T.tolist()],
        actions=[ARMS] * LAST,
        action=action.astype(np.int64),
        probability=logging[np.arange(LAST), action],
        reward=(action == right).astype(np.float64),
        pmf=logging.ravel(),
        offsets=np.arange(LAST + 1, dtype=np.int64) * K,
        sample_prob=np.linspace(0, 1, LAST, endpoint=False),
        closed_at=np.arange(LAST, dtype=np.int64),
    )
    return log, candidate.ravel(), hosted.ravel()


def _spread(right: np.ndarray, generator: np.random.Generator, epsilon: float) -> np.ndarray:
    guess = np.where(generator.random(LAST) < 0.7, right, (right + generator.integers(1, K, size=LAST)) % K)
    return np.asarray(epsilon / K + (1 - epsilon) * (guess[:, None] == np.arange(K)))


def promotions(log: Interactions, candidate: Floats, hosted: Floats, seed: int) -> Iterator[bool]:
    """What the gate says at each look."""
    for n in range(FIRST, LAST + 1, EVERY):
        yield evaluate(log.take(np.arange(n)), candidate[: n * K], hosted[: n * K], GATE, (0.0, 1.0), seed).passed


def differences(log: Interactions, candidate: Floats, hosted: Floats) -> Floats:
    """(LAST,) paired doubly robust scores under a reward model that is given: .3 for every arm."""
    return np.asarray((candidate - hosted)[log.chosen] / log.probability * (log.reward - 0.3))


@app.default
def main(runs: int = 2_000) -> None:
    gate = sequence = interval = 0
    for seed in range(runs):
        log, candidate, hosted = made(np.random.default_rng([seed, 3]))
        gate += any(promotions(log, candidate, hosted, seed))
        scores = differences(log, candidate, hosted)
        sequence += bool((asymptotic_sequence(scores, LEVEL, 4 * GATE.min_events).lower[FIRST:] > 0).any())
        interval += any(normal(scores[:n], LEVEL).lower > 0 for n in range(FIRST, LAST + 1, 100))
    shares = {"gate": gate, "sequence_after_every_event": sequence, "interval_for_one_look": interval}
    print(json.dumps({"runs": runs, "promoted": {name: n / runs for name, n in shares.items()}}))


if __name__ == "__main__":
    app()
