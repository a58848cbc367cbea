"""The laws of an `Estimator`, for anybody's: subclass `EstimatorContract` in a test module and pytest runs them."""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.estimators.estimators import Estimator
from rewardloop.evaluation.sample import Sample
from rewardloop.interactions import Floats

_N_ACTIONS = 4


class EstimatorContract:
    """Set `estimator` (wrapped in `staticmethod`), and say which of the optional laws it keeps.

    A bandit with four actions and known rewards is logged by a skewed policy; the target prefers another action. The reward model
    it is given is the truth, so that a model-based estimator is not blamed for its model.
    """

    estimator: Estimator
    exact_on_policy = True
    """The logging policy on its own log gets the mean reward exactly, given a constant reward model."""
    shift_equivariant = True
    """False for `ips`: it treats an event of weight 0 as a reward of 0."""

    def test_gives_one_finite_score_an_event(self) -> None:
        scores = type(self).estimator(_logged(500))
        assert scores.shape == (500,)
        assert np.isfinite(scores).all()

    def test_the_same_sample_gives_the_same_bits(self) -> None:
        assert type(self).estimator(_logged(500)).tobytes() == type(self).estimator(_logged(500)).tobytes()

    def test_reordering_events_reorders_scores(self) -> None:
        events, order = _logged(500), np.random.default_rng(1).permutation(500)
        _close(type(self).estimator(_take(events, order)), type(self).estimator(events)[order])

    def test_scaling_rewards_scales_the_estimate(self) -> None:
        _close(type(self).estimator(_affine(_logged(500), 7.0, 0.0)).mean(), 7.0 * type(self).estimator(_logged(500)).mean())

    def test_shifting_rewards_shifts_the_estimate(self) -> None:
        if self.shift_equivariant:
            shifted = type(self).estimator(_affine(_logged(500), 1.0, 3.0)).mean()
            _close(shifted, 3.0 + type(self).estimator(_logged(500)).mean())

    def test_a_constant_reward_is_estimated_as_that_constant(self) -> None:
        if self.shift_equivariant:
            _close(type(self).estimator(_affine(_logged(500), 0.0, 0.3)).mean(), 0.3)

    def test_the_logging_policy_gets_the_mean_reward_on_its_own_log(self) -> None:
        events = _logged(500)
        on_policy = Sample(np.ones(500), events.reward, np.full(500, 0.4), np.full(500, 0.4))
        if self.exact_on_policy:
            _close(type(self).estimator(on_policy).mean(), events.reward.mean())

    def test_the_truth_is_within_four_standard_errors(self) -> None:
        """False alarm: 1 in 16,000, were the seed not fixed."""
        scores = type(self).estimator(_logged(40_000))
        error = scores.std(ddof=1) / np.sqrt(len(scores))
        assert abs(scores.mean() - _VALUE) <= 4 * error + 1e-9


_LOGGING = np.array([0.7, 0.1, 0.1, 0.1])
_TARGET = np.array([0.1, 0.6, 0.2, 0.1])
_MEANS = np.array([0.2, 0.7, 0.5, 0.1])
_VALUE = float(_TARGET @ _MEANS)


def _logged(n: int) -> Sample:
    generator = np.random.default_rng(n)
    action = generator.choice(_N_ACTIONS, size=n, p=_LOGGING)
    reward = (generator.random(n) < _MEANS[action]).astype(np.float64)
    return Sample(_TARGET[action] / _LOGGING[action], reward, np.full(n, _VALUE), _MEANS[action])


def _affine(events: Sample, scale: float, shift: float) -> Sample:
    reward, direct, fitted = (scale * column + shift for column in (events.reward, events.direct, events.fitted))
    return Sample(events.weight, reward, direct, fitted)


def _take(events: Sample, order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Sample:
    return Sample(events.weight[order], events.reward[order], events.direct[order], events.fitted[order])


def _close(got: Floats | float, expected: Floats | float) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
