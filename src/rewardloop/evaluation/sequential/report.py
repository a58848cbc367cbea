"""Every estimator on one set of episodes, with intervals, and whether these episodes can tell anything about the target at all."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.sequential.estimators import ESTIMATORS, Estimator
from rewardloop.evaluation.sequential.fitted import fitted_q, fitted_values
from rewardloop.evaluation.sequential.magic import blend, partial_returns
from rewardloop.evaluation.sequential.smoothing import QModel
from rewardloop.evaluation.sequential.table import Table, check_discount, table
from rewardloop.evaluation.sequential.target import Densities, likelihood
from rewardloop.evaluation.sequential.trajectories import Trajectories
from rewardloop.interactions import Floats

RECOMMENDED = "wdr"
LEANING = ("fqe", "magic")
"""Those that rest on the fitted model alone, or may."""
MIN_ESS = 20.0
MEAN_WEIGHT_OFF = 0.25
"""The mean weight is 1 at every step where the log holds all that the target does. So far off, or 4 standard errors, it is not:
weights that are all alike have a high effective number though half of what the target does was never logged."""
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
    mean_weight_by_step: tuple[float, ...]
    """1 where the log holds whatever the target does; below it, the share of the target's episodes that the log can tell of."""
    effective_horizon: int
    """Steps for which at least 20 episodes weigh, and together as much as they should."""
    n_cut: int
    """Episodes that were cut off before the longest one's end; what would have come after counts as nothing."""
    supported: bool
    """Whether the whole of an episode is within the effective horizon."""

    @property
    def sentence(self) -> str:
        """The verdict."""
        best, horizon = self.estimates[RECOMMENDED], len(self.ess_by_step)
        if not self.supported:
            return f"These episodes cannot tell: {self._why_not(horizon)}"
        gain = "better than" if best.lower > self.logged.upper else "worse than" if best.upper < self.logged.lower else "like"
        return f"The policy would earn {best} an episode: {gain} what was logged, {self.logged.value:.4g}."

    def _why_not(self, horizon: int) -> str:
        step = self.effective_horizon
        if self.ess_by_step[step] < MIN_ESS:
            return (
                f"only the first {step} of {horizon} steps have the weight of {MIN_ESS:g} episodes. "
                "Log with more exploration, or evaluate a policy nearer to the one that logged."
            )
        return (
            f"at step {step + 1} of {horizon} the mean weight is {self.mean_weight_by_step[step]:.3g} where it should be 1. "
            "The policy does what the log never did, or the logged probabilities are not those that actions were drawn with."
        )


def evaluate_episodes(
    trajectories: Trajectories,
    target: Floats | Densities,
    *,
    gamma: float = 1.0,
    level: float = 0.95,
    model: QModel = "trees",
    seed: int = 0,
) -> SequentialReport:
    """Evaluate a target policy, given at every logged step: (N, K) probabilities, or `Densities`.

    Intervals: percentile bootstrap of episodes.

    Deterministic in `seed`. Raises `InvalidInput`.

    >>> two = Trajectories(np.zeros((40, 1)), np.tile([0, 1], 20), np.full(40, 0.5), np.tile([0.0, 1.0], 20), np.arange(41))
    >>> report = evaluate_episodes(two, np.tile([0.0, 1.0], (40, 1)), model="linear")
    >>> report.estimates["pdis"].value, report.estimates["wdr"].value, report.supported
    (1.0, 1.0, True)
    """
    if len(trajectories) < 2:
        raise InvalidInput(f"Expected at least 2 episodes, got {len(trajectories)}", at="$.offsets")
    check_discount(gamma)
    likelihood(trajectories, target)
    if isinstance(target, Densities):
        rows = table(trajectories, target, *fitted_values(trajectories, target, gamma=gamma, model=model, seed=seed), gamma=gamma)
    else:
        rows = table(trajectories, target, fitted_q(trajectories, target, gamma=gamma, model=model, seed=seed), gamma=gamma)
    counts = _counts(len(rows), np.random.default_rng(seed))
    ess = tuple(effective_sample_size(column) for column in rows.weight.T)
    horizon = _effective_horizon(rows, ess)
    weights = blend(rows, counts)
    estimators: dict[str, Estimator] = {**ESTIMATORS, "magic": lambda some, taken: partial_returns(some, taken) @ weights}
    estimates = {name: _estimate(rows, estimator, counts, level, ess[-1]) for name, estimator in estimators.items()}
    return SequentialReport(
        logged=_estimate(_as_logged(rows), ESTIMATORS["pdis"], counts, level, float(len(rows))),
        estimates={name: _stretched(name, own, estimates[RECOMMENDED]) for name, own in estimates.items()},
        ess_by_step=ess,
        mean_weight_by_step=tuple(rows.weight.mean(axis=0).tolist()),
        effective_horizon=horizon,
        n_cut=trajectories.n_cut,
        supported=horizon == rows.horizon,
    )


def _effective_horizon(rows: Table, ess: Sequence[float]) -> int:
    off = np.abs(rows.weight.mean(axis=0) - 1)
    errors = rows.weight.std(axis=0) / np.sqrt(len(rows))
    bad = (np.array(ess) < MIN_ESS) | (off > np.maximum(4 * errors, MEAN_WEIGHT_OFF))
    return int(bad.argmax()) if bad.any() else rows.horizon


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
