"""Continuous actions: the density is that of what is drawn, over the whole box, and the same seed draws the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest

from rewardloop.actions import Ranges, parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.policies.continuous import Spread, density, draw

BOX = Ranges((10.0,), (30.0,))
SPREADS = (
    Spread("uniform"),
    Spread("normal", (12.0,), (3.0,)),
    Spread("normal", (80.0,), (5.0,)),
    Spread("squashed", (0.5,), (0.8,)),
    Spread("squashed", (-2.0,), (0.3,)),
)


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_the_density_integrates_to_one_and_is_that_of_the_draws(spread: Spread, floor: float) -> None:
    """Kolmogorov-Smirnov with 2,000 draws; alpha .001 each of ten."""

    def at(x: float) -> float:
        return density(spread, BOX, [x], floor=floor)

    assert quad(at, 10.0, 30.0, limit=500)[0] == pytest.approx(1.0, abs=1e-5)
    drawn = [draw(spread, BOX, floor=floor, explore=True, seed=seed) for seed in range(2_000)]
    values = [one.values[0] for one in drawn]
    assert all(10.0 <= value <= 30.0 for value in values)
    assert all(one.density == at(one.values[0]) for one in drawn[:50])
    grid = np.linspace(10.0, 30.0, 4_001)
    steps = np.array([at(x) for x in grid])
    cumulative = np.concatenate([[0.0], np.cumsum((steps[1:] + steps[:-1]) / 2 * np.diff(grid))])
    assert kstest(values, lambda x: np.interp(x, grid, cumulative)).pvalue > 0.001


@given(
    location=st.floats(-1e3, 1e3),
    scale=st.floats(1e-3, 1e3),
    kind=st.sampled_from(["normal", "squashed"]),
    floor=st.floats(0.0, 0.5),
    seed=st.integers(0, 2**63),
)
def test_whatever_a_network_says_the_draw_is_in_the_box_with_a_density(
    location: float, scale: float, kind: str, floor: float, seed: int
) -> None:
    spread = Spread(kind, (location, 0.0), (scale, 1.0))  # type: ignore[arg-type]
    ranges = Ranges((10.0, -5.0), (30.0, 5.0))
    drawn = draw(spread, ranges, floor=floor, explore=True, seed=seed)
    assert all(low <= value <= high for value, low, high in zip(drawn.values, *ranges, strict=True))
    assert math.isfinite(drawn.density)
    assert drawn.density >= floor / 200.0 * (1 - 1e-12)
    assert drawn == draw(spread, ranges, floor=floor, explore=True, seed=seed)
    best = draw(spread, ranges, floor=floor, explore=False, seed=seed)
    assert best.density == math.inf
    assert all(low <= value <= high for value, low, high in zip(best.values, *ranges, strict=True))


def test_a_box_is_read_as_one_cell_and_a_bad_one_is_refused() -> None:
    assert parse_actions(b'{"low":[0,1],"high":[1,2]}').ranges == Ranges((0.0, 1.0), (1.0, 2.0))
    for raw in (b'{"low":[],"high":[]}', b'{"low":[1],"high":[0]}', b'{"low":[0],"high":[1,2]}', b'{"low":["a"],"high":[1]}'):
        with pytest.raises(InvalidInput, match="at `"):
            parse_actions(raw)
