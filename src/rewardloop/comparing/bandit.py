"""A policy of this package before the same visitors: it decides a batch, sees the rewards of what it chose, and learns them."""

from __future__ import annotations

import numpy as np

from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies import new_policy
from rewardloop.policies.exploration import serve_rows
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.population import Population, Visitors

BATCH = 500


def bandit(population: Population, visitors: Visitors, exploration: Exploration, seed: int, u: Floats) -> Ints:
    """(n,) the arm each visitor was shown, with every setting at its default; `u` (n,) in [0, 1) decides the sampling.

    Each event is learned once. The loop's replay of history, which gains Vowpal Wabbit's policies more, is left out.
    """
    settings = _settings(population, exploration)
    policy, n = new_policy(settings, seed), len(visitors.rows)
    choice = np.empty(n, np.int64)
    for start in range(0, n, BATCH):
        rows = np.arange(start, min(start + BATCH, n))
        contexts = [population.contexts[i] for i in visitors.rows[rows].tolist()]
        raw = policy.pmf_many(contexts, [population.actions] * len(rows)).reshape(len(rows), -1)
        pmf = serve_rows(raw, floor=settings.policy.floor)
        choice[rows] = (pmf.cumsum(axis=1) > u[rows, None]).argmax(axis=1)
        logged = Interactions(
            [str(i) for i in rows.tolist()],
            contexts,
            [population.actions] * len(rows),
            choice[rows],
            pmf[np.arange(len(rows)), choice[rows]],
            visitors.outcomes[rows, choice[rows]],
            pmf.ravel(),
            np.arange(len(rows) + 1) * pmf.shape[1],
            np.zeros(len(rows)),
            rows,
        )
        policy.learn(logged)
    return choice


def _settings(population: Population, exploration: Exploration) -> ExperimentSettings:
    return ExperimentSettings(
        experiment="compare-ab",
        actions=population.actions.ids,
        policy=PolicySettings(exploration=exploration),
        reward=RewardSettings(range=(0.0, 1.0)),
    )
