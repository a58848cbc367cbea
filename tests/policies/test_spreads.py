"""Many spreads at once say what one spread says: densities to rounding, moments as a long average of draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardloop.actions import Ranges
from rewardloop.policies.continuous import Spread, density, draw
from rewardloop.policies.spreads import Spreads, scaled

BOX = Ranges((10.0, -5.0), (30.0, 5.0))
KINDS = ("uniform", "normal", "squashed")


def spread(kind: str, location: tuple[float, float], deviation: float) -> Spread:
    if kind == "uniform":
        return Spread("uniform")
    if kind == "normal":
        about = (20.0 + 10 * location[0], 5 * location[1])
        return Spread("normal", about, (20 * deviation, 10 * deviation))
    return Spread("squashed", location, (deviation, deviation))


@given(
    kind=st.sampled_from(KINDS),
    location=st.tuples(st.floats(-1.4, 1.4), st.floats(-1.4, 1.4)),
    deviation=st.floats(0.01, 3.0),
    floor=st.floats(0.0, 1.0),
    seed=st.integers(0, 1 << 30),
)
@settings(max_examples=60, deadline=None)
def test_densities_are_those_that_single_decisions_are_logged_with(
    kind: str, location: tuple[float, float], deviation: float, floor: float, seed: int
) -> None:
    one = spread(kind, location, deviation)
    drawn = draw(one, BOX, floor=floor, explore=True, seed=seed)
    found = Spreads.of([one, one], BOX, floor).density(np.array([drawn.values, (21.0, 0.5)]))
    assert found == pytest.approx([drawn.density, density(one, BOX, (21.0, 0.5), floor=floor)], rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("deviation", [0.001, 0.05, 2.0])
def test_moments_are_those_of_the_draws(kind: str, deviation: float) -> None:
    one = spread(kind, (0.3, -1.2), deviation)
    values = np.array([draw(one, BOX, floor=0.0, explore=True, seed=seed).values for seed in range(2_000)])
    points = scaled(values, BOX)
    first, second = Spreads.of([one], BOX, 0.3).moments()
    error = points.std(axis=0) / 2_000**0.5
    assert (np.abs(first[0] - points.mean(axis=0)) <= 4 * error + 1e-3).all()
    assert (np.abs(second[0] - np.square(points).mean(axis=0)) <= 8 * error + 2e-3).all()


def test_what_a_policy_could_not_say_is_marked() -> None:
    some = Spreads.of([Spread("normal", (20.0, 0.0), (1.0, 1.0)), None], BOX, 0.1)
    assert some.known.tolist() == [True, False]
    assert np.isnan(some.density(np.array([[20.0, 0.0], [20.0, 0.0]]))).tolist() == [False, True]
