"""The gate over a box of two values: bias, error and coverage of its estimates against a known truth, and what a look costs.

`python -m benchmarks.boxes`
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from rewardloop.actions import Ranges, ranged_actions
from rewardloop.evaluation import judge
from rewardloop.evaluation.boxes import look_at_box
from rewardloop.evaluation.estimates import by_estimator
from rewardloop.interactions import Box, Floats, Interactions
from rewardloop.policies.continuous import Spread, draw
from rewardloop.policies.spreads import Spreads
from rewardloop.settings import GateSettings

BOX = Ranges((0.0, 0.0), (1.0, 2.0))
N_LOGS, N_EVENTS, FLOOR = 300, 400, 0.1
NAMES = ("ips", "snips", "dm", "dr", "cressie_read")


def main() -> None:
    print(f"{N_LOGS} logs of {N_EVENTS} held-out events, logged 0.15 beside the best point with a deviation of 0.25, floor {FLOOR}")
    for off, deviation in ((0.0, 0.25), (0.0, 0.1), (-0.3, 0.1)):
        of_one_candidate(off, deviation)
    log = logged(20_000, 1)
    policies = {"candidate": partial(aiming, 0.0, 0.1), "hosted": partial(aiming, 0.15, 0.25)}
    started = time.process_time()
    report = judge(look_at_box(lambda: iter([log]), policies, BOX, 0), GateSettings(), None)
    print(f"two policies on 20,000 events: {time.process_time() - started:.2f} s of CPU, {report.verdict}")


def of_one_candidate(off: float, deviation: float) -> None:
    policy, truth = partial(aiming, off, deviation), earned(logged(40_000, 99_999, off, deviation))
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in NAMES}
    refused = 0
    for seed in range(N_LOGS):
        log = logged(N_EVENTS, seed)
        seen = look_at_box(lambda log=log: iter([log]), {"candidate": policy}, BOX, 0)  # type: ignore[misc]
        refused += judge(seen, GateSettings(), (-2.0, 1.5)).verdict == "insufficient_support"
        for name, estimate in by_estimator(seen.samples["candidate"], 0.95, (-2.0, 1.5), NAMES).items():
            found[name].append((estimate.value - truth, estimate.lower <= truth <= estimate.upper))
    print(f"\ncandidate {off:+g} beside the best, deviation {deviation:g}: earns {truth:.4f}; refused {refused} of {N_LOGS}")
    for name, rows in found.items():
        errors = np.array([error for error, _ in rows])
        covered = np.mean([held for _, held in rows])
        print(f"  {name:13} bias {errors.mean():+.4f}  RMSE {np.sqrt(np.square(errors).mean()):.4f}  coverage {covered:.3f}")


def aiming(off: float, deviation: float, log: Interactions) -> Spreads:
    return Spreads.of([spread(float(each["x"]), off, deviation) for each in log.contexts], BOX, FLOOR)


def spread(x: float, off: float, deviation: float) -> Spread:
    return Spread("normal", (x + off, 1.0), (deviation, 2 * deviation))


def logged(n: int, seed: int, off: float = 0.15, deviation: float = 0.25) -> Interactions:
    """The reward is 1 less the distance to a point that moves with the context: no quadratic, so the reward model is wrong."""
    generator = np.random.default_rng([seed, 1])
    x = generator.uniform(0.1, 0.9, n)
    drawn = [
        draw(spread(each, off, deviation), BOX, floor=FLOOR, explore=True, seed=seed * 1_000_003 + i)
        for i, each in enumerate(x.tolist())
    ]
    values = np.array([each.values for each in drawn])
    reward = 1 - np.abs(values[:, 0] - x) - np.abs(values[:, 1] / 2 - 0.5) + generator.normal(0, 0.1, n)
    ones, numbers = np.ones(n), np.arange(n, dtype=np.int64)
    return Interactions(
        [f"{seed}:{i}" for i in range(n)],
        [{"x": each} for each in x.tolist()],
        [ranged_actions(*BOX)] * n,
        np.zeros(n, np.int64),
        ones,
        reward,
        ones,
        np.append(numbers, n),
        generator.uniform(0, 1, n),
        numbers,
        box=Box(values, np.array([each.density for each in drawn])),
    )


def earned(log: Interactions) -> float:
    rewards: Floats = log.reward
    return float(rewards.mean())


if __name__ == "__main__":
    main()
