"""How much memory and time does the evaluation of a large log take? Ten million events of ten actions, streamed.

    python -m benchmarks.streaming [--events 10000000]

Events are made as they are read, in batches of 50,000: a context of five features, ten arms, an exploration of .1. Two policies
are looked at and judged by the gate, as an experiment's loop does. Prints a JSON document: peak memory of the process, CPU time an
event with the making of the log taken off, and how far the numbers of a part that fits in memory are from those of one batch.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from cyclopts import App

from rewardloop.actions import fixed_actions
from rewardloop.evaluation import GateReport, Serve, judge, look
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.settings import GateSettings

BATCH = 50_000
K, EPSILON, FLOOR = 10, 0.1, 0.02
ARMS = fixed_actions([str(arm) for arm in range(K)])
CONTEXTS: tuple[Features, ...] = tuple(
    {f"x{i}": float(x) for i, x in enumerate(row)} for row in np.random.default_rng(0).normal(size=(BATCH, 5))
)
TASTE = np.random.default_rng(1).normal(size=(5, K))
SCORES = np.array([list(context.values()) for context in CONTEXTS], dtype=np.float64) @ TASTE
SETTINGS = GateSettings(rule="strict", max_events=10**9)

app = App()


def batch(number: int, size: int) -> Interactions:
    """Its events close in the order of their contexts: `closed_at` is the row of each."""
    generator = np.random.default_rng([2, number])
    pmf = served(SCORES[:size, ::-1], EPSILON)
    action = (pmf.cumsum(axis=1) > generator.random((size, 1))).argmax(axis=1)
    chance = 1 / (1 + np.exp(-SCORES[np.arange(size), action]))
    return Interactions(
        event_ids=[f"{number}-{i}" for i in range(size)],
        contexts=CONTEXTS[:size],
        actions=[ARMS] * size,
        action=action.astype(np.int64),
        probability=pmf[np.arange(size), action],
        reward=(generator.random(size) < chance).astype(np.float64),
        pmf=pmf.ravel(),
        offsets=np.arange(size + 1, dtype=np.int64) * K,
        sample_prob=np.ones(size),
        closed_at=np.arange(size, dtype=np.int64),
    )


def served(scores: Floats, epsilon: float) -> Floats:
    pmf: Floats = epsilon / K + (1 - epsilon) * (scores == scores.max(axis=1, keepdims=True))
    return pmf


def stream(n: int, size: int = BATCH) -> Iterator[Interactions]:
    yield from (batch(number, min(size, n - start)) for number, start in enumerate(range(0, n, size)))


def judged(log: Callable[[], Iterator[Interactions]]) -> GateReport:
    candidate, hosted = (served(scores, FLOOR) for scores in (SCORES, SCORES[:, ::-1]))
    policies: dict[str, Serve] = {
        "candidate": lambda events: candidate[events.closed_at].ravel(),
        "hosted": lambda events: hosted[events.closed_at].ravel(),
    }
    return judge(look(log, policies, seed=0), SETTINGS, (0.0, 1.0))


def furthest(n: int) -> float:
    """Largest relative difference of a number of the report between many batches and one, on n events."""
    whole = list(stream(n, 10_000))
    one = judged(partial(iter, [Interactions.concatenated(whole)]))
    many = judged(partial(iter, whole))
    pairs = [(many.candidate[name], one.candidate[name]) for name in one.candidate]
    numbers = [(getattr(a, field), getattr(b, field)) for a, b in pairs for field in ("value", "lower", "upper", "ess")]
    return max(abs(a - b) / max(abs(b), 1e-300) for a, b in numbers)


@app.default
def main(events: int = 10_000_000) -> None:
    start = time.process_time()
    for _ in stream(min(events, 1_000_000)):
        pass
    making = (time.process_time() - start) / min(events, 1_000_000)
    start = time.process_time()
    report = judged(partial(stream, events))
    took = time.process_time() - start
    result = {
        "events": events,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cpu_us_per_event": (took / events - 2 * making) * 1e6,
        "events_per_cpu_second": 1 / max(took / events - 2 * making, 1e-9),
        "furthest_from_one_batch": furthest(40_000),
        "verdict": report.verdict,
        "ess": report.candidate["dr"].ess,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    app()
