import dataclasses

import numpy as np
import pytest
from scipy.special import expit

import bandit_worlds as worlds
from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.evaluation.reward_models import logistic
from rewardloop.evaluation.reward_models.reward_model import MAX_ARMS, fit_predict

UNIFORM = worlds.policy(accuracy=0.0, epsilon=1.0)


def with_rewards(log, reward):
    return dataclasses.replace(log, reward=reward)


def featured(n, seed=0, n_items=60, offered=5):
    """Items with two features; the reward is the product of the context's and the item's. Every event offers other items."""
    generator = np.random.default_rng(seed)
    items = np.random.default_rng(99).normal(size=(n_items, 2))
    x = generator.normal(size=(n, 2))
    shown = np.array([generator.choice(n_items, offered, replace=False) for _ in range(n)])
    actions = [
        ActionSet(tuple(f"item {i}" for i in row), tuple({"a": items[i][0], "b": items[i][1]} for i in row), b"") for row in shown
    ]
    mean = np.einsum("nd,nkd->nk", x, items[shown])
    action = generator.integers(offered, size=n)
    contexts = [{"u": u, "v": v} for u, v in x.tolist()]
    reward = mean[np.arange(n), action]
    return worlds.interactions(np.full((n, offered), 1 / offered), action, reward, contexts=contexts, actions=actions), mean.ravel()


def clicked(n, seed=0):
    """The same items, clicked or not: what was an amount is log odds."""
    log, mean = featured(n, seed)
    chance = expit(4 * mean)
    reward = np.random.default_rng(seed + 1).random(n) < chance[log.chosen]
    return with_rewards(log, reward.astype(np.float64)), chance


def test_it_learns_which_arm_suits_which_context():
    log, _ = worlds.log(4000, UNIFORM, np.random.default_rng(0))
    q = fit_predict(log, seed=0).reshape(-1, worlds.N_ARMS)
    better = q[np.arange(4000), log.action][log.reward == 1].mean() - q[np.arange(4000), log.action][log.reward == 0].mean()
    assert better > 0.4


def test_it_learns_from_the_features_of_actions_that_come_and_go():
    log, mean = featured(3000)
    q = fit_predict(log, seed=0)
    assert np.mean((q - mean) ** 2) < 0.1 * mean.var()


def labelled(n):
    return worlds.log(n, UNIFORM, np.random.default_rng(0))


@pytest.mark.parametrize("make", [lambda: labelled(400)[0], lambda: featured(400)[0], lambda: clicked(400)[0]])
class TestLaws:
    def test_an_event_does_not_see_its_own_reward(self, make):
        log = make()
        least, most = log.reward.argmin(), log.reward.argmax()
        event = next(i for i in range(len(log)) if i not in (least, most))
        reward = log.reward.copy()
        reward[event] = log.reward.min() if reward[event] > log.reward.mean() else log.reward.max()
        before, after = fit_predict(log, seed=0), fit_predict(with_rewards(log, reward), seed=0)
        of_event = np.repeat(np.arange(len(log)), np.diff(log.offsets)) == event
        np.testing.assert_allclose(after[of_event], before[of_event], atol=1e-9)
        assert np.abs(after - before)[~of_event].max() > 0.01

    def test_a_constant_reward_is_predicted_as_that_constant(self, make):
        log = make()
        np.testing.assert_allclose(fit_predict(with_rewards(log, np.full(len(log), 0.3)), seed=0), 0.3)

    def test_predictions_follow_the_units_of_the_reward(self, make):
        log = make()
        plain, moved = fit_predict(log, seed=0), fit_predict(with_rewards(log, 7 * log.reward - 2), seed=0)
        np.testing.assert_allclose(moved, 7 * plain - 2, atol=1e-8)

    def test_the_same_log_and_seed_give_the_same_bits(self, make):
        assert fit_predict(make(), seed=3).tobytes() == fit_predict(make(), seed=3).tobytes()

    def test_another_seed_draws_other_folds(self, make):
        assert (fit_predict(make(), seed=3) != fit_predict(make(), seed=4)).any()

    def test_predictions_stay_within_the_rewards_seen(self, make):
        log = make()
        q = fit_predict(log, seed=0)
        assert log.reward.min() <= q.min() <= q.max() <= log.reward.max()


def test_an_arm_never_chosen_gets_the_mean_reward():
    pmf = np.tile([0.5, 0.5, 0.0], (200, 1))
    log = worlds.interactions(pmf, np.arange(200) % 2, np.arange(200) % 2)
    np.testing.assert_allclose(fit_predict(log, seed=0).reshape(-1, 3)[:, 2], 0.5, atol=0.05)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_events_is_enough_to_answer(n):
    q = fit_predict(worlds.interactions(np.full((n, 3), 1 / 3), [0] * n, np.arange(n)), seed=0)
    assert np.isfinite(q).all()


def test_very_many_ids_without_features_share_one_model():
    n = MAX_ARMS + 200
    actions = [fixed_actions([f"a{i}", "always"]) for i in range(n)]
    log = worlds.interactions(np.full((n, 2), 0.5), np.arange(n) % 2, np.arange(n) % 2, actions=actions)
    q = fit_predict(log, seed=0).reshape(n, 2)
    assert q[:, 1].mean() > q[:, 0].mean() + 0.5


def test_words_wide_rows_and_extreme_values_are_survived():
    generator = np.random.default_rng(0)
    contexts = [
        {f"word {i}": f"value {generator.integers(1000)}" for i in range(40)} | {"big": float(10.0 ** generator.integers(-30, 30))}
        for _ in range(300)
    ]
    log = worlds.interactions(np.full((300, 2), 0.5), generator.integers(2, size=300), generator.random(300), contexts=contexts)
    assert np.isfinite(fit_predict(log, seed=0)).all()


def separable(n, seed=0):
    """Three arms; which one pays is decided by the context alone, without noise."""
    generator = np.random.default_rng(seed)
    x, action = generator.normal(size=(n, 2)), generator.integers(3, size=n)
    pays = np.stack([x[:, 0], x[:, 1], -x[:, 0] - x[:, 1]], axis=1) > 0.5
    contexts = [{"u": u, "v": v} for u, v in x.tolist()]
    return worlds.interactions(np.full((n, 3), 1 / 3), action, pays[np.arange(n), action], contexts=contexts), pays


def test_rewards_of_two_values_are_learned_on_the_scale_of_odds_where_a_line_is_too_straight():
    """given arms that surely pay or surely do not; when it learns; then it nearly knows."""
    log, pays = separable(1500)
    q = fit_predict(log, seed=0).reshape(-1, 3)
    assert np.mean(np.abs(q - pays)) < 0.1  # A ridge is off by .18.


def test_clicks_on_actions_with_features_are_learned_on_the_scale_of_odds_too():
    log, chance = clicked(2000)
    assert np.mean(np.abs(fit_predict(log, seed=0) - chance)) < 0.07  # A ridge is off by .15.


def test_a_third_value_makes_it_a_question_of_amounts():
    """A single half among zeros and ones, and the regression is one of amounts: log odds would not know what it is."""
    log, _ = separable(1500)
    reward = log.reward.copy()
    reward[7] = 0.5
    binary, amounts = fit_predict(log, seed=0), fit_predict(with_rewards(log, reward), seed=0)
    assert np.abs(binary - amounts).max() > 0.1


def test_rewards_all_but_one_alike_are_survived():
    log, _ = separable(60)
    reward = np.zeros(60)
    reward[5] = 1.0
    q = fit_predict(with_rewards(log, reward), seed=0)
    assert 0.0 <= q.min() <= q.max() <= 1.0
    assert q.mean() < 0.2


def test_an_event_that_counts_twice_is_an_event_that_is_there_twice():
    generator = np.random.default_rng(0)
    X, y, twice = generator.normal(size=(50, 3)), generator.integers(2, size=50).astype(float), generator.integers(2, size=50)
    penalty = np.ones(3)
    counted = logistic.fit(X, y, 0.2, penalty, weight=1.0 + twice)
    rows = np.repeat(np.arange(50), 1 + twice)
    np.testing.assert_allclose(counted, logistic.fit(X[rows], y[rows], 0.2, penalty), atol=1e-4)


@pytest.mark.parametrize("n", [5, 400], ids=["fewer rows than columns", "more"])
def test_the_gradient_is_zero_where_the_logistic_fit_ends(n):
    generator = np.random.default_rng(1)
    X, y = generator.normal(size=(n, 20)), generator.integers(2, size=n).astype(float)
    penalty = np.full(20, 0.5)
    weights = logistic.fit(X, y, -0.3, penalty)
    gradient = X.T @ (y - expit(-0.3 + X @ weights)) - penalty * weights
    np.testing.assert_allclose(gradient, 0, atol=1e-2)
