import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rewardloop.evaluation import normal
from rewardloop.evaluation.documents.curves import POINTS, TAIL_POINTS, convergence, weight_tail

weights = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1e6))


def interval(scores, ess):
    return normal(scores, 0.95, ess)


@pytest.mark.parametrize("n", [2, 3, 10, 41, 5000])
def test_a_curve_ends_with_the_estimate_on_all_events(n):
    scores, weight = np.random.default_rng(n).random((2, n))
    curve = convergence(scores, weight, interval)
    assert curve[-1] == normal(scores, 0.95, curve[-1].ess)
    assert curve[-1].n == n
    sizes = [estimate.n for estimate in curve]
    assert sizes == sorted(set(sizes))
    assert sizes[0] >= 2
    assert len(sizes) <= POINTS


def test_a_curve_sees_only_the_events_so_far():
    scores = np.concatenate([np.zeros(50), np.ones(50)])
    curve = convergence(scores, np.ones(100), interval)
    assert all(estimate.value == 0 for estimate in curve if estimate.n <= 50)
    assert curve[-1].value == 0.5


@given(weights)
def test_the_tail_falls_from_the_share_with_any_weight_to_the_largest(weight):
    points = weight_tail(weight)
    if not points:
        assert not weight.any()
        return
    heaviness, share = np.array(points).T
    assert (np.diff(heaviness) > 0).all()
    assert (np.diff(share) < 0).all()
    assert share[0] == np.mean(weight > 0)
    assert heaviness[-1] == weight.max()
    assert all(np.isclose(s, np.mean(weight >= w)) for w, s in points)


def test_a_long_tail_is_thinned_but_keeps_its_heaviest_weights():
    weight = np.random.default_rng(0).pareto(1.5, 20_000)
    points = weight_tail(weight)
    assert len(points) <= TAIL_POINTS
    assert [w for w, _ in points[-5:]] == sorted(weight)[-5:]
    assert points[0] == (weight.min(), 1.0)
