"""Sequential evaluation of continuous actions by density ratios, against a value in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential import Densities, Trajectories, evaluate_episodes
from rewardloop.interactions import Floats

HORIZON, SLOPE, SPREAD = 3, 0.5, 0.8
TRUTH = -HORIZON * ((1 - SLOPE) ** 2 + SPREAD**2)
"""States are standard normal, actions N(SLOPE · s, SPREAD), rewards −(a − s)²."""


def bell(x: Floats, mean: Floats | float, deviation: float) -> Floats:
    return np.asarray(np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)))


def logged(seed: int, n: int = 200) -> tuple[Trajectories, Densities]:
    """n episodes of a policy that draws from N(0, 1) whatever it sees, and the target on them."""
    generator = np.random.default_rng(seed)
    state, action = generator.normal(size=(2, n * HORIZON))
    reward = -((action - state) ** 2)
    offsets = np.arange(n + 1) * HORIZON
    drawn = SLOPE * state[:, None, None] + SPREAD * generator.normal(size=(len(state), 8, 1))
    target = Densities(bell(action, SLOPE * state, SPREAD), drawn)
    return Trajectories(state[:, None], action[:, None], bell(action, 0.0, 1.0), reward, offsets), target


@pytest.fixture(scope="module")
def replications() -> dict[str, Floats]:
    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(40):
        for name, estimate in evaluate_episodes(*logged(seed), model="linear", seed=seed).estimates.items():
            found.setdefault(name, []).append((estimate.value, estimate.lower, estimate.upper))
    return {name: np.array(rows) for name, rows in found.items()}


@pytest.mark.parametrize("name", ["trajectory_is", "pdis", "dr", "wdr"])
def test_the_mean_over_many_logs_is_the_truth(replications: dict[str, Floats], name: str) -> None:
    values = replications[name][:, 0]
    assert abs(values.mean() - TRUTH) < 4 * values.std() / np.sqrt(len(values))


def test_the_recommended_interval_holds_the_truth(replications: dict[str, Floats]) -> None:
    rows = replications["wdr"]
    assert ((rows[:, 1] <= TRUTH) & (rows[:, 2] >= TRUTH)).sum() >= 34


def test_trees_see_the_square_that_a_line_does_not() -> None:
    episodes, target = logged(0)
    by_trees = evaluate_episodes(episodes, target, model="trees").estimates["fqe"].value
    by_line = evaluate_episodes(episodes, target, model="linear").estimates["fqe"].value
    assert abs(by_trees - TRUTH) < abs(by_line - TRUTH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drawn": np.zeros((600, 8, 2))}, r"Expected draws in shape \(600, M, 1\)"),
        ({"logged": np.full(600, np.nan)}, r"densities, finite and not negative - at `\$.target.logged\[0\]`"),
    ],
)
def test_a_target_of_another_shape_is_refused(change: dict[str, Floats], message: str) -> None:
    episodes, target = logged(0)
    with pytest.raises(InvalidInput, match=message):
        evaluate_episodes(episodes, Densities(**{"logged": target.logged, "drawn": target.drawn, **change}))


def test_probabilities_for_continuous_actions_are_refused() -> None:
    episodes, _ = logged(0)
    with pytest.raises(InvalidInput, match="Densities"):
        evaluate_episodes(episodes, np.ones((600, 1)))
