"""Logs as the doctor sees them: clean by construction, a fault to be planted by the test. All follows from the generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from bandit_worlds import interactions
from rewardloop.clock import SECOND
from rewardloop.interactions import Floats, Interactions
from rewardloop.lake import Ledger
from rewardloop.lake.observed import Observed

HOUR = 3_600 * SECOND


def clean_interactions(generator: np.random.Generator, n: int = 2_000, floor: float = 0.3, signal: float = 0.3) -> Interactions:
    """Four arms; a greedy policy with a floor that follows `x`; rewards of 0 or 1, better by `signal` for the arm that suits."""
    x, word = generator.normal(size=n), generator.integers(3, size=n)
    suits = (x > 0).astype(np.int64) + 2 * (word == 0)
    pmf = np.full((n, 4), floor / 4)
    pmf[np.arange(n), (suits + (generator.random(n) < 0.3)) % 4] += 1 - floor
    action = drawn(pmf, generator)
    reward = (generator.random(n) < 0.2 + signal * (action == suits)).astype(np.float64)
    contexts = [{"x": float(value), "word": "abc"[w]} for value, w in zip(x, word, strict=True)]
    log = interactions(pmf, action, reward, contexts=contexts)
    shared = log.actions[0]
    return with_columns(log, actions=[shared] * n, sample_prob=generator.random(n))


def drawn(pmf: Floats, generator: np.random.Generator) -> Any:
    """(n,) an action from each row."""
    return (pmf.cumsum(axis=1) > generator.random((len(pmf), 1))).argmax(axis=1)


def with_columns(log: Interactions, **columns: Any) -> Interactions:
    """The same with other columns."""
    names = Interactions.__slots__
    return Interactions(**{name: columns.get(name, getattr(log, name)) for name in names})


def observed(log: Interactions, generator: np.random.Generator | None = None, **fields: Any) -> Observed:
    """A live log of a second an event, rewards after half a minute on average, all windows passed."""
    n = len(log)
    delays = np.full(n, 30.0) if generator is None else generator.exponential(30.0, n)
    decided_at = 1_700_000_000 * SECOND + np.arange(n) * SECOND
    usual: dict[str, Any] = {
        "interactions": log,
        "decided_at": decided_at,
        "rewarded_at": decided_at + (delays * SECOND).astype(np.int64),
        "explored": np.ones(n, bool),
        "model_ids": ["offers.1"] * n,
        "ledger": Ledger(decisions=n, closed=n, with_reward=n, rewards_received=n, rewards_counted=n),
        "window": HOUR,
        "settled_until": int(decided_at.max(initial=0)) + HOUR,
        "train_ratio": 0.8,
        "reward_range": (0.0, 1.0),
    }
    return Observed(**(usual | fields))
