"""Every estimator on one set of episodes, with intervals, and whether these episodes can tell anything about the target at all."""

from __future__ import annotations

import msgspec
import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.sequential.estimators import ESTIMATORS, Estimator
from rewardloop.evaluation.sequential.fitted import QModel, fitted_q
from rewardloop.evaluation.sequential.magic import blend, partial_returns
from rewardloop.evaluation.sequential.table import Table, table
from rewardloop.evaluation.sequential.trajectories import Trajectories
from rewardloop.interactions import Floats

RECOMMENDED = "wdr"
LEANING = ("fqe", "magic")
"""Those that rest on the fitted model alone, or may."""
MIN_ESS = 20.0
RESAMPLES = 500
_CELLS = 1 << 24
"""Counts held at once: bounds memory at 128 MiB."""


class SequentialReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the episodes say of the target policy."""

    logged: Estimate
    """The mean discounted return of the episodes as they are."""
    estimates: dict[str, Estimate]
    """By estimator; their `ess` is that of the weights at the end of the episodes."""
    ess_by_step: tuple[float, ...]
    """Effective number of episodes at each step."""
    effective_horizon: int
    """Steps for which at least 20 episodes weigh."""
    supported: bool
    """Whether the whole of an episode is within the effective horizon."""

    @property
    def sentence(self) -> str:
        """The verdict."""
        best, horizon = self.estimates[RECOMMENDED], len(self.ess_by_step)
        if not self.supported:
            return (
                f"These episodes cannot tell: only the first {self.effective_horizon} of {horizon} steps have the weight of "
                f"{MIN_ESS:g} episodes. Log with more exploration, or evaluate a policy nearer to the one that logged."
            )
        gain = "better than" if best.lower > self.logged.upper else "worse than" if best.upper < self.logged.lower else "like"
        return f"The policy would earn {best} an episode: {gain} what was logged, {self.logged.value:.4g}."


def evaluate_episodes(
    trajectories: Trajectories,
    target: Floats,
    *,
    gamma: float = 1.0,
    level: float = 0.95,
    model: QModel = "trees",
    seed: int = 0,
) -> SequentialReport:
    """Evaluate a target policy, given its distribution (N, K) at every logged step. Intervals: percentile bootstrap of episodes.

    Deterministic in `seed`. Raises `InvalidInput`.

    >>> two = Trajectories(np.zeros((40, 1)), np.tile([0, 1], 20), np.full(40, 0.5), np.tile([0.0, 1.0], 20), np.arange(41))
    >>> report = evaluate_episodes(two, np.tile([0.0, 1.0], (40, 1)), model="linear")
    >>> report.estimates["pdis"].value, report.estimates["wdr"].value, report.supported
    (1.0, 1.0, True)
    """
    if len(trajectories) < 2:
        raise InvalidInput(f"Expected at least 2 episodes, got {len(trajectories)}", at="$.offsets")
    q = fitted_q(trajectories, target, gamma=gamma, model=model, seed=seed)
    rows = table(trajectories, target, q, gamma=gamma)
    counts = _counts(len(rows), np.random.default_rng(seed))
    ess = tuple(effective_sample_size(column) for column in rows.weight.T)
    weights = blend(rows, counts)
    estimators: dict[str, Estimator] = {**ESTIMATORS, "magic": lambda some, taken: partial_returns(some, taken) @ weights}
    estimates = {name: _estimate(rows, estimator, counts, level, ess[-1]) for name, estimator in estimators.items()}
    return SequentialReport(
        logged=_estimate(_as_logged(rows), ESTIMATORS["pdis"], counts, level, float(len(rows))),
        estimates={name: _stretched(name, own, estimates[RECOMMENDED]) for name, own in estimates.items()},
        ess_by_step=ess,
        effective_horizon=next((step for step, n in enumerate(ess) if n < MIN_ESS), len(ess)),
        supported=min(ess) >= MIN_ESS,
    )


def _counts(n: int, generator: np.random.Generator) -> Floats:
    """(B, n) how often each episode is drawn in each resample."""
    resamples = max(2, min(RESAMPLES, _CELLS // n))
    return generator.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def _estimate(rows: Table, estimator: Estimator, counts: Floats, level: float, ess: float) -> Estimate:
    value = float(estimator(rows, np.ones((1, len(rows))))[0])
    lower, upper = np.quantile(estimator(rows, counts), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(lower), float(upper), level, len(rows), ess)


def _stretched(name: str, own: Estimate, corrected: Estimate) -> Estimate:
    """A resample shows nothing of a model's bias: what rests on the model gets an interval that holds the corrected one's too."""
    if name not in LEANING:
        return own
    return msgspec.structs.replace(own, lower=min(own.lower, corrected.lower), upper=max(own.upper, corrected.upper))


def _as_logged(rows: Table) -> Table:
    ones = np.ones_like(rows.weight)
    return Table(ones, ones, rows.reward, rows.q, rows.v)
