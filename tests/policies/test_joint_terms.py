"""Where there are more products than columns, those get one that tell of the reward."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.policies import new_policy
from rewardloop.policies.design.joint_terms import APART, explained, likeliest, screened
from rewardloop.policies.design.terms import Seen, SeenState, Terms, TermsState, Units, of_action
from rewardloop.policies.native.featured import FeaturedPolicy
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings

VALUES, N_WORDS = ("a", "c", "g", "t"), 60


def offered(rng: np.random.Generator, n: int = 5) -> ActionSet:
    """Sixty words each, of which the seventh matters."""
    made = [
        {"id": f"{rng.integers(1 << 40)}", "features": {f"x{i}": VALUES[v] for i, v in enumerate(rng.integers(4, size=N_WORDS))}}
        for _ in range(n)
    ]
    return parse_actions(msgspec.json.encode(made))


def events(rng: np.random.Generator, n: int) -> Interactions:
    sets = [offered(rng) for _ in range(n)]
    contexts: list[Features] = [{"wanted": str(rng.choice(VALUES))} for _ in range(n)]
    chosen = rng.integers(5, size=n)
    own = [of_action(actions, action) for actions, action in zip(sets, chosen.tolist(), strict=True)]
    reward = np.array([float(a["x7"] == c["wanted"]) for a, c in zip(own, contexts, strict=True)])
    fifth, at = np.full(n, 0.2), np.arange(n)
    return Interactions(
        list(map(str, at)), contexts, sets, chosen, fifth, reward, np.full(5 * n, 0.2), np.arange(0, 5 * n + 1, 5), fifth, at
    )


def test_of_a_thousand_products_those_that_matter_are_found() -> None:
    rng = np.random.default_rng(1)
    settings = ExperimentSettings(
        experiment="genes", policy=PolicySettings(exploration="lints"), reward=RewardSettings(range=(0, 1))
    )
    policy = new_policy(settings, 1)
    assert isinstance(policy, FeaturedPolicy)
    policy.learn(events(rng, 600))
    assert policy._regression is not None
    assert policy._regression.moments.joint <= 257
    right = []
    for _ in range(60):
        actions, wanted = offered(rng), str(rng.choice(VALUES))
        suits = [own["x7"] == wanted for own in actions.features or ()]
        if any(suits):
            right.append(float(np.array(policy.pmf({"wanted": wanted}, actions)) @ suits))
    assert np.mean(right) > 0.8


def test_where_all_fit_nothing_is_left_out_and_no_reward_is_looked_at() -> None:
    rng = np.random.default_rng(2)
    logged, seen = events(rng, 40), Seen(SeenState())
    seen.look(logged.contexts, logged.actions)
    pairs = [(c, of_action(s, a)) for c, s, a in zip(logged.contexts, logged.actions, logged.action.tolist(), strict=True)]
    every = Terms.of(seen, Units(1.0, 1.0), 2_000)
    found = screened(seen, Units(1.0, 1.0), 2_000, pairs, logged.reward)
    assert found.terms == every.terms
    few = screened(seen, Units(1.0, 1.0), 30, pairs, logged.reward)
    assert len(few.terms) == len(set(few.terms)) == len(every.terms)
    assert few.terms[0] == (0, 0)


def test_what_a_context_says_for_all_actions_alike_comes_after_all_else() -> None:
    rng = np.random.default_rng(3)
    logged, seen = events(rng, 60), Seen(SeenState())
    pairs = [(c, of_action(s, a)) for c, s, a in zip(logged.contexts, logged.actions, logged.action.tolist(), strict=True)]
    seen.look(logged.contexts, logged.actions)
    terms = screened(seen, Units(1.0, 1.0), 300, pairs, np.array([float(c["wanted"] == "a") for c in logged.contexts]))
    assert all(action for _, action in terms.terms[1:301])


def test_terms_are_kept_whole_with_the_variance_that_was_chosen() -> None:
    seen = Seen(SeenState())
    logged = events(np.random.default_rng(5), 60)
    seen.look(logged.contexts, logged.actions)
    terms = Terms.of(seen, Units(1.0, 1.0), 300)
    terms = terms.ordered(range(1, len(terms.terms)), apart=1 / 16)
    terms.grow([({}, {"new": "word"})])
    kept = Terms(msgspec.json.decode(msgspec.json.encode(terms.state()), type=TermsState))
    assert (kept.apart, kept.terms, kept.state()) == (1 / 16, terms.terms, terms.state())


def test_a_column_counts_by_its_size_until_rewards_speak() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(400, 3)) * np.array([2.0, 1.0, 1.0])
    assert explained(X[:1], np.array([1.0])).argmax() == np.square(X[0]).argmax()
    assert explained(X, np.ones(400)).argmax() == 0
    assert explained(X, X[:, 1] + rng.normal(size=400)).argmax() == 1
    assert np.isfinite(explained(np.zeros((3, 2)), np.ones(3))).all()


@pytest.mark.parametrize(("share", "expected"), [(0.0, min(APART)), (1.0, max(APART))])
def test_weights_apart_are_narrow_where_their_terms_tell_nothing(share: float, expected: float) -> None:
    rng = np.random.default_rng(6)
    X, U = rng.normal(size=(400, 5)), rng.normal(size=(400, 300))
    signal = 2.0 * X[:, 0] + share * (U @ rng.normal(size=300))
    of_action = np.arange(306) > 0
    assert likeliest(np.column_stack([np.ones(400), X, U]), signal + rng.normal(size=400), of_action, limit=5) == expected


def test_what_is_joint_by_chance_leaves_their_width_to_those_apart() -> None:
    """A hundred columns of which each tells a little: those that tell most of the same events would seem to tell all."""
    rng = np.random.default_rng(7)
    X = np.column_stack([np.ones(300), rng.normal(size=(300, 400))])
    rewards = X[:, 1:] @ rng.normal(size=400) / 20 + rng.normal(size=300)
    assert likeliest(X, rewards, np.arange(401) > 0, limit=60) >= 1 / 16
