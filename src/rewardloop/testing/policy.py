"""The laws of a policy as tests. Subclass, say how to make one, and pytest runs them on yours.

class TestMyPolicy(PolicyContract):
    def make_policy(self, seed):
        return MyPolicy(seed)
"""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.errors import CorruptModel
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.policies import Policy

STRANGE: tuple[Features, ...] = (
    {},
    {"x": 1e29, "y": -1e29},
    {"x": 1e-300, "never seen": 3.0},
    {"x": "a word where numbers were", "os": 7.0},
    {"\N{SNOWMAN} |:'\"\\": "\N{MUSICAL SYMBOL G CLEF}\u0000\n", "os": ""},
    {f"f{i}": float(i) for i in range(500)},
)
"""Contexts that pass validation and resemble nothing learned from."""


def random_contexts(rng: np.random.Generator, n: int) -> list[Features]:
    """Numbers on different scales, some of them absent now and then, a 0/1 indicator and a word."""
    contexts: list[Features] = []
    for x, y, word in zip(
        rng.normal(size=n), rng.normal(1e4, 10.0, size=n), rng.choice(["ios", "linux", "π"], size=n), strict=True
    ):
        context: Features = {"x": float(x), "vip": int(x > 0.5), "os": str(word)}
        contexts.append(context | {"y": float(y)} if rng.random() < 0.9 else context)
    return contexts


def random_interactions(rng: np.random.Generator, actions: ActionSet, n: int) -> Interactions:
    """n uniform decisions in which the first action pays where x > 0, and the last where it is not."""
    contexts = random_contexts(rng, n)
    chosen = rng.integers(len(actions), size=n)
    best = np.array([0 if context["x"] > 0 else len(actions) - 1 for context in contexts])  # type: ignore[operator]
    n_pmf = n * len(actions)
    return Interactions(
        event_ids=[f"event-{i}" for i in range(n)],
        contexts=contexts,
        actions=[actions] * n,
        action=chosen,
        probability=np.full(n, 1.0 / len(actions)),
        reward=(chosen == best).astype(np.float64),
        pmf=np.full(n_pmf, 1.0 / len(actions)),
        offsets=np.arange(0, n_pmf + 1, len(actions)),
        sample_prob=rng.random(n),
        closed_at=np.arange(n),
    )


class PolicyContract(ABC):
    """Every test makes a policy of its own; `make_actions` is a set of at least two actions that it can choose among."""

    learns = True
    """False for a policy that by nature learns nothing."""

    @abstractmethod
    def make_policy(self, seed: int) -> Policy: ...

    def make_actions(self) -> ActionSet:
        return fixed_actions(["a", "b", "c"])

    def test_a_pmf_is_a_distribution_however_little_it_has_learned(self) -> None:
        policy, rng = self.make_policy(1), np.random.default_rng(1)
        for n_learned in (0, 1, 2, 200):
            policy.learn(self._interactions(rng, n_learned))
            self._assert_distributions(policy, [*random_contexts(rng, 50), *STRANGE])

    def test_strange_contexts_are_learned_from_like_any(self) -> None:
        policy, rng = self.make_policy(2), np.random.default_rng(2)
        for n in (len(STRANGE), 60):
            policy.learn(replace(self._interactions(rng, n), contexts=[STRANGE[i % len(STRANGE)] for i in range(n)]))
            self._assert_distributions(policy, [*STRANGE, *random_contexts(rng, 20)])

    def test_rewards_of_any_size_leave_a_distribution(self) -> None:
        for low, high in ((-1e30, 1e30), (1e9, 1e9 + 1), (0.0, 0.0), (-3.0, -3.0)):
            policy, rng = self.make_policy(3), np.random.default_rng(3)
            policy.learn(_with_rewards(self._interactions(rng, 100), low, high))
            self._assert_distributions(policy, random_contexts(rng, 20))

    def test_asking_changes_nothing(self) -> None:
        asked, unasked = self._trained(4), self._trained(4)
        contexts = [*random_contexts(np.random.default_rng(4), 20), *STRANGE]
        first = self._pmfs(asked, contexts)
        assert self._pmfs(asked, contexts) == first
        more = self._interactions(np.random.default_rng(5), 100)
        asked.learn(more)
        unasked.learn(more)
        assert self._pmfs(asked, contexts) == self._pmfs(unasked, contexts)

    def test_learning_is_deterministic(self) -> None:
        contexts = random_contexts(np.random.default_rng(6), 50)
        assert self._pmfs(self._trained(6), contexts) == self._pmfs(self._trained(6), contexts)

    def test_no_global_randomness_is_read_or_disturbed(self) -> None:
        contexts = random_contexts(np.random.default_rng(7), 20)
        random.seed(1)
        expected = self._pmfs(self._trained(7), contexts)
        random.seed(2)
        before = random.getstate()
        assert self._pmfs(self._trained(7), contexts) == expected
        assert random.getstate() == before

    def test_pmf_many_is_pmf_row_by_row(self) -> None:
        policy, actions = self._trained(8), self.make_actions()
        contexts = [*random_contexts(np.random.default_rng(8), 200), *STRANGE]
        many = policy.pmf_many(contexts, [actions] * len(contexts))
        assert many.shape == (len(contexts) * len(actions),)
        np.testing.assert_allclose(many.reshape(len(contexts), -1), self._pmfs(policy, contexts), rtol=0, atol=1e-9)

    def test_pmf_many_of_nothing_is_empty(self) -> None:
        for policy in (self.make_policy(9), self._trained(9)):
            assert policy.pmf_many([], []).shape == (0,)

    def test_learning_from_nothing_changes_nothing(self) -> None:
        policy, contexts = self._trained(10), random_contexts(np.random.default_rng(10), 20)
        before = self._pmfs(policy, contexts)
        policy.learn(self._interactions(np.random.default_rng(10), 0))
        assert self._pmfs(policy, contexts) == before

    def test_learning_pays(self) -> None:
        if not self.learns:
            pytest.skip("it learns nothing by nature")
        policy, rng = self.make_policy(11), np.random.default_rng(11)
        for _ in range(10):
            policy.learn(self._interactions(rng, 100))
        contexts = random_contexts(rng, 200)
        right = [pmf[0 if context["x"] > 0 else -1] for context, pmf in zip(contexts, self._pmfs(policy, contexts), strict=True)]  # type: ignore[operator]
        assert np.mean(right) > 1.25 / len(self.make_actions())

    @pytest.mark.parametrize("n_learned", [0, 1, 20, 300])
    def test_a_saved_policy_answers_the_same_and_learns_on(self, tmp_path: Path, n_learned: int) -> None:
        policy, rng = self.make_policy(12), np.random.default_rng(12)
        policy.learn(self._interactions(rng, n_learned))
        policy.save(tmp_path)
        loaded = type(policy).load(tmp_path)
        contexts = [*random_contexts(rng, 50), *STRANGE]
        self._assert_same(policy, loaded, contexts)
        more = self._interactions(rng, 100)
        policy.learn(more)
        loaded.learn(more)
        self._assert_same(policy, loaded, contexts)

    def test_saving_changes_nothing_and_names_its_engine(self, tmp_path: Path) -> None:
        policy, contexts = self._trained(13), random_contexts(np.random.default_rng(13), 20)
        before = self._pmfs(policy, contexts)
        policy.save(tmp_path)
        assert self._pmfs(policy, contexts) == before
        assert json.loads((tmp_path / "policy.json").read_bytes())["engine"]

    def test_a_damaged_file_is_refused_by_its_name(self, tmp_path: Path) -> None:
        policy = self._trained(14)
        policy.save(tmp_path)
        for path in sorted(tmp_path.iterdir()):
            whole = path.read_bytes()
            for name, damaged in _damages(whole):
                path.write_bytes(damaged)
                assert _refused(policy, tmp_path), f"{path.name} was accepted though {name}"
            path.unlink()
            assert _refused(policy, tmp_path), f"loaded without {path.name}"
            path.write_bytes(whole)
        type(policy).load(tmp_path)

    def _interactions(self, rng: np.random.Generator, n: int) -> Interactions:
        return random_interactions(rng, self.make_actions(), n)

    def _trained(self, seed: int) -> Policy:
        policy = self.make_policy(seed)
        policy.learn(self._interactions(np.random.default_rng(seed), 200))
        return policy

    def _pmfs(self, policy: Policy, contexts: Sequence[Features]) -> list[list[float]]:
        actions = self.make_actions()
        return [list(policy.pmf(context, actions)) for context in contexts]

    def _assert_same(self, one: Policy, other: Policy, contexts: Sequence[Features]) -> None:
        np.testing.assert_allclose(self._pmfs(one, contexts), self._pmfs(other, contexts), rtol=0, atol=1e-6)

    def _assert_distributions(self, policy: Policy, contexts: Sequence[Features]) -> None:
        pmfs = np.array(self._pmfs(policy, contexts))
        assert pmfs.shape == (len(contexts), len(self.make_actions()))
        assert np.isfinite(pmfs).all()
        assert pmfs.min() >= -1e-9
        np.testing.assert_allclose(pmfs.sum(axis=1), 1.0, rtol=0, atol=1e-6)


def _refused(policy: Policy, directory: Path) -> bool:
    try:
        type(policy).load(directory)
    except CorruptModel as error:
        return str(directory) in str(error)
    return False


def _with_rewards(usual: Interactions, low: float, high: float) -> Interactions:
    return replace(usual, reward=np.where(usual.reward > 0, high, low))


def _damages(whole: bytes) -> list[tuple[str, bytes]]:
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
    return [
        ("empty", b""),
        ("cut in half", whole[:middle]),
        ("cut by one byte", whole[:-1]),
        ("one byte flipped", flipped),
        ("garbage", bytes(range(256)) * 4),
        ("an empty object", b"{}"),
    ]
