"""The undocumented calls and the documented interface answer alike, and what goes in by hand equals what is parsed."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from rewardloop.actions import fixed_actions, parse_actions
from rewardloop.policies.vw import policy as vw
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from vw_worlds import ARMS, EXPLORATIONS, events, halves, interactions, settings


def public(monkeypatch: pytest.MonkeyPatch, exploration: str, **learner: object) -> VowpalWabbitPolicy:
    """A policy on a build without the undocumented calls."""
    policy = VowpalWabbitPolicy.new(settings(exploration, **learner), seed=3)
    with monkeypatch.context() as patch:
        patch.setattr(vw, "NATIVE", False)
        policy.learn(events(1))
    return policy


def native(exploration: str, **learner: object) -> VowpalWabbitPolicy:
    policy = VowpalWabbitPolicy.new(settings(exploration, **learner), seed=3)
    policy.learn(events(1))
    return policy


@pytest.mark.parametrize("exploration", EXPLORATIONS)
@pytest.mark.parametrize("with_features", [False, True])
def test_both_engines_learn_and_answer_alike(exploration: str, with_features: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    logged, asked = halves(events(240, with_features=with_features), 200)
    fast, slow = native(exploration), public(monkeypatch, exploration)
    for policy in (fast, slow):
        policy.learn(logged)
    assert fast.pmf_many(asked.contexts, asked.actions) == pytest.approx(slow.pmf_many(asked.contexts, asked.actions), abs=1e-6)


def test_both_engines_agree_on_contexts_too_long_to_be_crossed(monkeypatch: pytest.MonkeyPatch) -> None:
    long = [{f"f{i}": float((i + shift) % 7) for i in range(300)} for shift in range(40)]
    logged = interactions(long, [ARMS] * 40, np.arange(40) % 4, np.arange(40) % 3 == 0, np.full(40, 0.25))
    fast, slow = native("softmax"), public(monkeypatch, "softmax")
    for policy in (fast, slow):
        policy.learn(logged)
        policy.learn(events(20))
    assert list(fast.pmf(long[7], ARMS)) == pytest.approx(list(slow.pmf(long[7], ARMS)), abs=1e-6)
    assert list(fast.pmf({"age": 3}, ARMS)) == pytest.approx(list(slow.pmf({"age": 3}, ARMS)), abs=1e-6)


@pytest.mark.parametrize("engine", ["native", "public"])
@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_probabilities_stand_in_the_order_of_the_actions(engine: str, exploration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = native(exploration) if engine == "native" else public(monkeypatch, exploration)
    n = 400
    best = np.random.default_rng(0).integers(4, size=n)
    chosen = np.random.default_rng(1).integers(4, size=n)
    contexts = [{"wanted": ARMS.ids[arm]} for arm in best]
    policy.learn(interactions(contexts, [ARMS] * n, chosen, (chosen == best).astype(float), np.full(n, 0.25)))
    for arm, name in enumerate(ARMS.ids):
        assert np.argmax(policy.pmf({"wanted": name}, ARMS)) == arm
        turned = fixed_actions([*ARMS.ids[arm:], *ARMS.ids[:arm]])
        assert np.argmax(policy.pmf({"wanted": name}, turned)) == 0


def test_featured_actions_are_told_apart_by_their_features() -> None:
    generator = np.random.default_rng(0)
    policy = VowpalWabbitPolicy.new(settings("egreedy", actions=None), seed=0)
    n = 600
    prices = generator.normal(100, 20, (n, 3))
    sets = [parse_actions(_items(row.tolist())) for row in prices]
    chosen = generator.integers(3, size=n)
    reward = (prices[np.arange(n), chosen] < 100).astype(float)
    policy.learn(interactions([{"day": "mon"}] * n, sets, chosen, reward, np.full(n, 1 / 3)))
    assert np.argmax(policy.pmf({"day": "mon"}, parse_actions(_items([130.0, 120.0, 60.0])))) == 2
    assert np.argmax(policy.pmf({"day": "mon"}, parse_actions(_items([50.0, 120.0, 130.0])))) == 0


def _items(prices: list[float]) -> bytes:
    return msgspec.json.encode([{"id": str(i), "features": {"price": price}} for i, price in enumerate(prices)])
