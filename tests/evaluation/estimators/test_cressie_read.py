import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from rewardloop.errors import InvalidInput
from rewardloop.evaluation import cressie_read

GENERATOR = np.random.default_rng(2)
WEIGHT = GENERATOR.choice([0.2, 0.5, 4.0], size=12, p=[0.4, 0.4, 0.2])
REWARD = GENERATOR.random(12)


def tilted(weight, reward, fake, least, budget):
    """The smallest Σ p·w·r over reweightings p = (1 + d)/N with Σp = 1, Σp·w = 1 and mean d² ≤ budget, by a general optimiser."""
    w, y = np.append(weight, fake), np.append(weight * reward, fake * least)
    constraints = [
        {"type": "eq", "fun": lambda d: d.mean()},
        {"type": "eq", "fun": lambda d: ((1 + d) * w).mean() - 1},
        {"type": "ineq", "fun": lambda d: budget - (d**2).mean()},
    ]
    found = optimize.minimize(
        lambda d: ((1 + d) * y).mean(), np.zeros(len(w)), constraints=constraints, options={"maxiter": 500, "ftol": 1e-13}
    )
    return found.fun if found.success else np.inf


def nearest(weight, fake):
    w = np.append(weight, fake)
    return (1 - w.mean()) ** 2 / w.var()


def test_the_closed_form_is_the_optimum_of_its_definition():
    low, high = 0.0, 20.0
    budget = nearest(WEIGHT, high if WEIGHT.mean() < 1 else low) + stats.f.ppf(0.95, 1, 12) / 13
    got = cressie_read(WEIGHT, REWARD, 0.95, (0.0, 1.0), (low, high))
    lower = min(tilted(WEIGHT, REWARD, fake, 0.0, budget) for fake in (low, high))
    upper = -min(tilted(WEIGHT, -REWARD, fake, -1.0, budget) for fake in (low, high))
    assert (got.lower, got.upper) == pytest.approx((max(0.0, lower), min(1.0, upper)), abs=1e-4)


def test_the_unbounded_weight_is_the_limit_of_a_large_one():
    unbounded = cressie_read(WEIGHT, REWARD, 0.95, (0.0, 1.0))
    large = cressie_read(WEIGHT, REWARD, 0.95, (0.0, 1.0), (0.0, 1e7))
    assert unbounded.value == pytest.approx(large.value, abs=1e-5)
    assert (unbounded.lower, unbounded.upper) == pytest.approx((large.lower, large.upper), abs=1e-5)


def test_weights_of_one_give_the_mean_reward():
    estimate = cressie_read(np.ones(50), np.repeat([0.0, 1.0], 25), 0.95, (0.0, 1.0))
    assert estimate.value == pytest.approx(0.5)
    assert estimate.lower < 0.5 < estimate.upper


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_interval_lies_within_the_range_of_rewards(events):
    weight, reward = (np.array(column) for column in zip(*events, strict=True))
    estimate = cressie_read(weight, reward, 0.95, (0.0, 1.0))
    assert 0.0 <= estimate.lower <= estimate.upper <= 1.0


@given(st.floats(0.1, 50), st.floats(-20, 20))
def test_units_of_reward_do_not_matter(scale, shift):
    plain = cressie_read(WEIGHT, REWARD, 0.95, (0.0, 1.0))
    moved = cressie_read(WEIGHT, scale * REWARD + shift, 0.95, (shift, scale + shift))
    assert moved.lower == pytest.approx(scale * plain.lower + shift, abs=1e-6 * (scale + abs(shift)))
    assert moved.upper == pytest.approx(scale * plain.upper + shift, abs=1e-6 * (scale + abs(shift)))


def test_it_covers_where_the_normal_interval_of_ips_does_not():
    """500 events, the target's favourite has probability .01; 300 repetitions. A normal IPS interval covers about .9."""
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        chosen = generator.random(500) < 0.01
        weight = np.where(chosen, 100.0, 0.0)
        reward = (generator.random(500) < np.where(chosen, 0.7, 0.3)).astype(float)
        estimate = cressie_read(weight, reward, 0.95, (0.0, 1.0))
        covered += estimate.lower <= 0.7 <= estimate.upper
    assert covered >= 285


def test_no_events_are_refused():
    with pytest.raises(InvalidInput, match="both sides of 1"):
        cressie_read(np.zeros(0), np.zeros(0), 0.95, (0.0, 1.0))
