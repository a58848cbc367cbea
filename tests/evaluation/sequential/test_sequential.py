"""Sequential off-policy evaluation against exact values: a corridor solved by dynamic programming."""

from __future__ import annotations

import numpy as np
import pytest

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential import ESTIMATORS, Trajectories, evaluate_episodes, fitted_q
from rewardloop.evaluation.sequential.magic import blend, partial_returns
from rewardloop.evaluation.sequential.table import table
from rewardloop.interactions import Floats, Ints

STATES, HORIZON, GAMMA, SLIP = 5, 8, 0.95, 0.15


def policy(right: float) -> Floats:
    """(S, 2) goes right with this probability wherever it stands."""
    return np.tile([1 - right, right], (STATES, 1))


def exact(pi: Floats) -> float:
    """The value of the first state, by dynamic programming."""
    value = np.zeros(STATES)
    for _ in range(HORIZON):
        q = np.zeros((STATES, 2))
        for state in range(STATES):
            for action, there in enumerate((max(state - 1, 0), min(state + 1, STATES - 1))):
                for after, p in ((there, 1 - SLIP), (state, SLIP)):
                    q[state, action] += p * (_reward(after, action) + GAMMA * value[after])
        value = (pi * q).sum(axis=1)
    return float(value[0])


def _reward(after: int, action: int) -> float:
    return float(after == STATES - 1) - 0.1 * action


def corridor(generator: np.random.Generator, n: int, pi: Floats) -> tuple[Trajectories, Ints]:
    """n episodes logged by a policy, and the state at each step."""
    states, actions, rewards = (np.zeros((n, HORIZON), np.int64) for _ in range(3))
    rewards = rewards.astype(float)
    state = np.zeros(n, np.int64)
    for t in range(HORIZON):
        action = (generator.random(n) < pi[state, 1]).astype(np.int64)
        there = np.clip(state + 2 * action - 1, 0, STATES - 1)
        after = np.where(generator.random(n) < SLIP, state, there)
        states[:, t], actions[:, t] = state, action
        rewards[:, t] = (after == STATES - 1) - 0.1 * action + generator.normal(0, 0.3, n)
        state = after
    flat, taken = states.ravel(), actions.ravel()
    offsets = np.arange(n + 1) * HORIZON
    return Trajectories(np.eye(STATES)[flat], taken, pi[flat, taken], rewards.ravel(), offsets), flat


LOGGING, TARGET = policy(0.5), policy(0.7)
TRUTH = exact(TARGET)


@pytest.fixture(scope="module")
def replications() -> dict[str, Floats]:
    """(R, 3) value, lower, upper of each estimator over 60 logs of 300 episodes."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(60):
        logged, state = corridor(np.random.default_rng(seed), 300, LOGGING)
        report = evaluate_episodes(logged, TARGET[state], gamma=GAMMA, model="linear", seed=seed)
        for name, estimate in report.estimates.items():
            found.setdefault(name, []).append((estimate.value, estimate.lower, estimate.upper))
    return {name: np.array(rows) for name, rows in found.items()}


@pytest.mark.parametrize("name", ["trajectory_is", "pdis", "dr", "wdr"])
def test_the_mean_over_many_logs_is_the_truth(replications: dict[str, Floats], name: str) -> None:
    values = replications[name][:, 0]
    assert abs(values.mean() - TRUTH) < 4 * values.std() / np.sqrt(len(values))


def test_each_refinement_errs_less_than_what_it_refines(replications: dict[str, Floats]) -> None:
    error = {name: float(np.sqrt(np.square(rows[:, 0] - TRUTH).mean())) for name, rows in replications.items()}
    assert error["wdr"] < error["wpdis"] < error["pdis"] < error["trajectory_is"]
    assert error["dr"] < 0.6 * error["pdis"]
    assert error["magic"] < error["wpdis"]


@pytest.mark.parametrize("name", ["dr", "wdr", "fqe", "magic"])
def test_nominal_95_percent_intervals_hold_the_truth(replications: dict[str, Floats], name: str) -> None:
    """At a true coverage of .94 fewer than 51 of 60 are seen once in 300 times."""
    rows = replications[name]
    assert ((rows[:, 1] <= TRUTH) & (rows[:, 2] >= TRUTH)).sum() >= 51


def test_the_logging_policy_evaluated_on_its_own_log_is_its_mean_return() -> None:
    logged, state = corridor(np.random.default_rng(0), 100, LOGGING)
    report = evaluate_episodes(logged, LOGGING[state], gamma=GAMMA, model="linear")
    for name in ("trajectory_is", "pdis", "wis", "wpdis"):
        assert report.estimates[name].value == pytest.approx(report.logged.value, abs=1e-12)
    assert report.ess_by_step == (100.0,) * HORIZON


def test_a_constant_reward_is_estimated_exactly_by_the_weighted_ones() -> None:
    logged, state = corridor(np.random.default_rng(0), 50, LOGGING)
    constant = Trajectories(logged.observation, logged.action, logged.probability, np.ones(logged.n_steps), logged.offsets)
    report = evaluate_episodes(constant, TARGET[state], model="linear")
    for name in ("wis", "wpdis", "fqe", "wdr", "magic"):
        assert report.estimates[name].value == pytest.approx(HORIZON, rel=5e-3)


def test_by_hand_two_episodes_of_unequal_length() -> None:
    """ρ: 2·0.5 then ·2 = 2; 0.5. Rewards 1, 2 | 4; γ = 0.5."""
    logged = Trajectories(
        np.zeros((3, 1)), np.array([0, 1, 1]), np.array([0.25, 0.5, 0.5]), np.array([1.0, 2, 4]), np.array([0, 2, 3])
    )
    target = np.array([[0.25, 0.75], [0.0, 1.0], [0.75, 0.25]])
    rows = table(logged, target, gamma=0.5)
    one = np.ones((1, 2))
    assert rows.weight.tolist() == [[1, 2], [0.5, 0.5]]
    assert ESTIMATORS["trajectory_is"](rows, one)[0] == (2 * (1 + 1) + 0.5 * 4) / 2
    assert ESTIMATORS["pdis"](rows, one)[0] == ((1 * 1 + 2 * 1) + 0.5 * 4) / 2
    assert ESTIMATORS["wis"](rows, one)[0] == (2 * 2 + 0.5 * 4) / 2.5
    assert ESTIMATORS["wpdis"](rows, one)[0] == pytest.approx((1 * 1 + 0.5 * 4) / 1.5 + (2 * 1) / 2.5)


@pytest.mark.parametrize("model", ["linear", "trees"])
def test_fitted_values_order_the_actions_as_they_are_worth(model: str) -> None:
    logged, state = corridor(np.random.default_rng(1), 200, LOGGING)
    q = fitted_q(logged, TARGET[state], gamma=GAMMA, model=model)  # type: ignore[arg-type]
    early = logged.step < 3
    assert (q[early, 1] > q[early, 0]).mean() > 0.9


def test_the_blend_is_a_distribution_and_ends_are_the_model_and_wdr() -> None:
    logged, state = corridor(np.random.default_rng(2), 80, LOGGING)
    q = fitted_q(logged, TARGET[state], gamma=GAMMA, model="linear")
    rows = table(logged, TARGET[state], q, gamma=GAMMA)
    counts = np.random.default_rng(0).multinomial(80, np.full(80, 1 / 80), size=50).astype(float)
    weights = blend(rows, counts)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    returns = partial_returns(rows, np.ones((1, 80)))[0]
    assert returns[0] == pytest.approx(ESTIMATORS["fqe"](rows, np.ones((1, 80)))[0])
    assert returns[-1] == pytest.approx(ESTIMATORS["wdr"](rows, np.ones((1, 80)))[0])


def test_without_support_the_verdict_is_that_nothing_can_be_told() -> None:
    logged, state = corridor(np.random.default_rng(3), 60, policy(0.1))
    report = evaluate_episodes(logged, policy(0.95)[state], model="linear")
    assert not report.supported
    assert report.effective_horizon < HORIZON
    assert report.sentence.startswith(f"These episodes cannot tell: only the first {report.effective_horizon} of {HORIZON} steps")


def test_weights_that_are_all_alike_do_not_pass_for_support() -> None:
    """A log that always goes right, with probability 1: half of what the target does was never seen, yet no weight stands out."""
    logged, state = corridor(np.random.default_rng(3), 100, policy(1.0))
    report = evaluate_episodes(logged, policy(0.5)[state], model="linear")
    assert min(report.ess_by_step) == pytest.approx(100)
    assert report.mean_weight_by_step[:2] == (0.5, 0.25)
    assert not report.supported
    assert report.effective_horizon == 0
    assert "at step 1 of 8 the mean weight is 0.5 where it should be 1" in report.sentence


def test_episodes_cut_off_before_the_longest_are_counted() -> None:
    logged, _ = corridor(np.random.default_rng(3), 3, LOGGING)
    offsets, truncated = np.array([0, 8, 12, 24]), np.array([False, True, True])
    cut = Trajectories(logged.observation, logged.action, logged.probability, logged.reward, offsets, truncated)
    assert cut.n_cut == 1
    assert Trajectories.joined([cut, logged]).n_cut == 1


def test_the_same_episodes_and_seed_give_the_same_bits() -> None:
    logged, state = corridor(np.random.default_rng(4), 60, LOGGING)
    first, again = (evaluate_episodes(logged, TARGET[state], model="trees", seed=3) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": np.array([0.5, 0.0])}, r"Expected a probability above 0, got `0.0` - at `\$.probability\[1\]`"),
        ({"reward": np.array([np.nan, 0.0])}, r"Expected a finite reward, got `nan` - at `\$.reward\[0\]`"),
        ({"offsets": np.array([0, 2, 2])}, "Expected episodes of at least one step"),
        ({"action": np.array([-1, 0])}, "Expected an action from 0"),
        ({"observation": np.zeros((3, 1))}, "Expected 2 rows as in `action`, got 3"),
    ],
)
def test_what_cannot_have_been_logged_is_refused(change: dict[str, Floats], message: str) -> None:
    good = {
        "observation": np.zeros((2, 1)), "action": np.array([0, 1]), "probability": np.array([0.5, 0.5]),
        "reward": np.zeros(2), "offsets": np.array([0, 1, 2]),
    }  # fmt: skip
    with pytest.raises(InvalidInput, match=message):
        Trajectories(**{**good, **change})  # type: ignore[arg-type]


def test_a_target_that_is_no_distribution_is_refused() -> None:
    logged, state = corridor(np.random.default_rng(5), 3, LOGGING)
    with pytest.raises(InvalidInput, match="probabilities that sum to 1"):
        evaluate_episodes(logged, TARGET[state] * 0.5)
    with pytest.raises(InvalidInput, match="in shape"):
        evaluate_episodes(logged, TARGET[state][:, :1])
    with pytest.raises(InvalidInput, match="discount"):
        evaluate_episodes(logged, TARGET[state], gamma=1.5)
