"""Feature importance against worlds where the worth of every feature is known."""

import numpy as np
import pytest

from bandit_worlds import interactions
from rewardloop.actions import parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import importance
from rewardloop.evaluation.explanations.feature_groups import feature_groups
from rewardloop.evaluation.explanations.importance import MAX_GROUPS, MAX_OFFERED

RIGHT = 0.9
"""How often the policy takes the action its context asks for."""


def world(n, seed, **more):
    """Two arms, logged uniformly; the right one is told by `device.x`. `device.y` and `noise` say nothing."""
    generator = np.random.default_rng(seed)
    x, y, noise = generator.integers(0, 2, n), generator.random(n), generator.random(n)
    contexts = [{"device.x": float(a), "device.y": b, "noise": c, "same": 1.0, **more} for a, b, c in zip(x, y, noise, strict=True)]
    action = generator.integers(0, 2, n)
    return interactions(np.full((n, 2), 0.5), action, (action == x).astype(float), contexts=contexts)


def serve(contexts, actions):
    right = np.array([int(context["device.x"]) for context in contexts])
    pmf = np.full((len(contexts), 2), 1 - RIGHT)
    pmf[np.arange(len(contexts)), right] = RIGHT
    return pmf.ravel()


def serve_uniform(contexts, actions):
    return np.concatenate([np.full(len(offered), 1 / len(offered)) for offered in actions])


def by_name(found):
    return {feature.name: feature for feature in found.features}


def test_what_the_policy_decides_by_is_found_and_the_rest_is_worth_exactly_nothing():
    found = importance(world(2000, 1), serve, level=0.95, seed=0, by="feature")
    assert found.features[0].name == "device.x"
    assert found.features[0].loss.value == pytest.approx(RIGHT - 0.5, abs=0.05)
    assert found.features[0].changed == pytest.approx((2 * RIGHT - 1) / 2, abs=0.03)
    for name in ("device.y", "noise"):
        assert by_name(found)[name].loss.value == by_name(found)[name].changed == 0.0
    assert found.n_constant == 1


def test_a_group_is_taken_away_as_one():
    found = by_name(importance(world(500, 1), serve, level=0.95, seed=0))
    assert {name: feature.n_features for name, feature in found.items()} == {"device": 2, "noise": 1}
    assert found["device"].loss.lower > 0.3


def test_the_interval_holds_the_true_worth():
    """Nominal 95 %: of 60 logs at least 52 hold; fewer happen once in 100,000 runs of a right interval."""
    found = [importance(world(300, seed), serve, level=0.95, seed=seed, by="feature").features[0].loss for seed in range(60)]
    assert sum(loss.lower <= RIGHT - 0.5 <= loss.upper for loss in found) >= 52


def test_a_policy_misled_by_a_feature_would_do_better_without():
    def misled(contexts, actions):
        return serve(contexts, actions).reshape(-1, 2)[:, ::-1].ravel()

    (first,) = importance(world(1000, 2), misled, level=0.95, seed=0, by="feature").features[-1:]
    assert first.name == "device.x"
    assert first.loss.upper < -0.3


def test_a_policy_without_features_loses_nothing():
    found = importance(world(300, 3), serve_uniform, level=0.95, seed=0)
    assert {feature.loss.value for feature in found.features} == {0.0}


def test_the_same_seed_gives_the_same_bits_and_another_may_not():
    one, again, other = (importance(world(200, 4), serve, level=0.95, seed=seed) for seed in (0, 0, 1))
    assert one == again != other


def test_features_of_actions_are_shuffled_among_the_actions_on_offer():
    """The policy takes the cheaper of two; the reward is for the cheaper one. The order of the two is chance."""
    generator = np.random.default_rng(5)
    cheap = generator.integers(0, 2, 1000)
    prices = [(1, 9) if first == 0 else (9, 1) for first in cheap]
    offered = [
        parse_actions(b'[{"id": "a", "features": {"price": %d}}, {"id": "b", "features": {"price": %d}}]' % pair) for pair in prices
    ]
    action = generator.integers(0, 2, 1000)
    log = interactions(np.full((1000, 2), 0.5), action, (action == cheap).astype(float), actions=offered)

    def cheapest(contexts, actions):
        cheap = np.array([[own["price"] for own in a.features] for a in actions]).argmin(axis=1)
        return np.where(np.arange(2) == cheap[:, None], RIGHT, 1 - RIGHT).ravel()

    (price,) = importance(log, cheapest, level=0.95, seed=0).features
    assert (price.name, price.of) == ("price", "action")
    assert price.loss.value == pytest.approx(RIGHT - 0.5, abs=0.06)


def test_a_feature_that_is_sometimes_absent_can_be_taken_away():
    log = world(400, 6)
    for context in log.contexts[::2]:
        context["rare"] = "word"

    def by_presence(contexts, actions):
        return np.array([[0.8, 0.2] if "rare" in context else [0.2, 0.8] for context in contexts]).ravel()

    found = by_name(importance(log, by_presence, level=0.95, seed=0))["rare"]
    assert found.changed == pytest.approx(0.3, abs=0.05)


def test_only_the_features_that_vary_most_are_looked_at():
    log = world(100, 7, **{f"constant_{i}": 1.0 for i in range(20)})
    for i, context in enumerate(log.contexts):
        context |= {f"rare_{j}": float(i == j) for j in range(60)}
    found = importance(log, serve_uniform, level=0.95, seed=0)
    assert (len(found.features), found.n_beyond, found.n_constant) == (MAX_GROUPS, 12, 21)
    assert {"device", "noise"} <= set(by_name(found))


def test_events_that_cannot_be_used_are_counted_and_too_few_are_refused():
    log = world(100, 8)
    log.reward[:3] = np.nan
    found = importance(log, serve, level=0.95, seed=0)
    assert found.excluded == {"the reward is missing or not finite": 3}
    assert found.value.n == 97
    with pytest.raises(InvalidInput, match="at least two held-out events"):
        importance(log.take(np.arange(4)), serve, level=0.95, seed=0)


def test_large_action_sets_bound_the_number_of_events():
    n, k = 300, 1000
    log = interactions(np.full((n, k), 1 / k), np.zeros(n, int), np.ones(n), contexts=[{"x": float(i)} for i in range(n)])
    assert importance(log, serve_uniform, level=0.95, seed=0).value.n == MAX_OFFERED // k


def test_variation_counts_absence_as_a_value():
    log = interactions(
        np.full((4, 2), 0.5), [0] * 4, [0.0] * 4, contexts=[{"a": 1.0}, {"a": 1.0, "b": "x"}, {"a": 1.0}, {"a": 2.0}]
    )
    assert {group.name: group.varied for group in feature_groups(log, "group")} == {"a": 0.25, "b": 0.25}
