"""The neural policy: what it learns that a linear one cannot, when it trains, what it keeps, and what it refuses to load."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rewardloop.actions import fixed_actions
from rewardloop.errors import CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies import new_policy
from rewardloop.policies.contract import Policy
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.native.neural import WINDOW, NeuralPolicy
from rewardloop.policies.regressions.ridge_files import RidgeState
from rewardloop.settings import ExperimentSettings
from rewardloop.settings.checks import problems
from rewardloop.testing.policy import random_interactions

ACTIONS = fixed_actions(["a", "b"])
FILES = ("ridge.json", "ridge.npz", "trunk.npz")


def settings(exploration: str = "neural", forgetting: object = "none", actions: object = ("a", "b")) -> ExperimentSettings:
    policy = {"exploration": exploration, "learner": {"forgetting": forgetting}}
    return msgspec.convert({"experiment": "offers", "actions": actions, "policy": policy}, ExperimentSettings)


def neural() -> NeuralPolicy:
    return NeuralPolicy.new(settings(), seed=0)


def crossed(n: int, seed: int) -> Interactions:
    """Arm `a` pays where the first two of 24 features have one sign, `b` where they have two: no line tells them apart."""
    rng = np.random.default_rng(seed)
    Z, events = rng.normal(size=(n, 24)), random_interactions(rng, ACTIONS, n)
    contexts: list[Features] = [{f"x{i}": z for i, z in enumerate(row)} for row in Z.tolist()]
    best = (Z[:, 0] * Z[:, 1] < 0).astype(np.int64)
    return replace(events, contexts=contexts, reward=(events.action == best).astype(np.float64))


def pmfs(policy: Policy, events: Interactions) -> Floats:
    return policy.pmf_many(events.contexts, events.actions).reshape(-1, 2)


def share_right(policy: Policy, n_learned: int) -> float:
    policy.learn(crossed(n_learned, seed=1))
    held = crossed(400, seed=2)
    best = np.where(held.reward > 0, held.action, 1 - held.action)
    return float(pmfs(policy, held)[np.arange(400), best].mean())


def test_it_learns_what_no_line_tells_apart() -> None:
    assert share_right(neural(), 3_000) > 0.75
    assert share_right(new_policy(settings("lints"), seed=0), 3_000) < 0.6


def test_until_the_first_training_it_is_lints() -> None:
    policy, linear = neural(), new_policy(settings("lints"), seed=0)
    events, held = crossed(99, seed=3), crossed(100, seed=4)
    policy.learn(events)
    linear.learn(events)
    # Without a hidden layer that says something the posterior is the same, whatever its width.
    assert pmfs(policy, held) == pytest.approx(pmfs(linear, held), abs=1e-9)

    policy.learn(crossed(1, seed=5))
    linear.learn(crossed(1, seed=5))
    assert np.abs(pmfs(policy, held) - pmfs(linear, held)).max() > 0.1


@pytest.mark.parametrize("step", [1, 45])
def test_a_training_is_the_same_however_events_came_in_batches(step: int) -> None:
    events, held = crossed(225, seed=6), crossed(50, seed=7)
    whole, bit_by_bit = neural(), neural()
    whole.learn(events)
    for start in range(0, 225, step):
        bit_by_bit.learn(events.take(np.arange(start, start + step)))
    assert pmfs(whole, held).tobytes() == pmfs(bit_by_bit, held).tobytes()


def test_seeds_differ_and_one_seed_does_not() -> None:
    events, held = crossed(300, seed=8), crossed(50, seed=9)
    one, again, other = neural(), neural(), NeuralPolicy.new(settings(), seed=1)
    for policy in (one, again, other):
        policy.learn(events)
    assert pmfs(one, held).tobytes() == pmfs(again, held).tobytes() != pmfs(other, held).tobytes()


@pytest.mark.parametrize("n_learned", [30, 99, 149, 224])
def test_a_loaded_policy_trains_on_to_the_same_bits(tmp_path: Path, n_learned: int) -> None:
    policy, held = neural(), crossed(50, seed=10)
    policy.learn(crossed(n_learned, seed=11))
    policy.save(tmp_path)
    loaded = NeuralPolicy.load(tmp_path)
    for each in (policy, loaded):
        each.learn(crossed(20, seed=12))
    assert pmfs(loaded, held).tobytes() == pmfs(policy, held).tobytes()


def test_it_keeps_no_more_events_than_its_window(tmp_path: Path) -> None:
    policy, events = neural(), random_interactions(np.random.default_rng(13), ACTIONS, WINDOW + 700)
    policy.learn(events)
    policy.save(tmp_path)
    state = msgspec.json.decode((tmp_path / "ridge.json").read_bytes(), type=RidgeState)
    assert state.head is not None
    assert [context for context, _, _ in state.head] == list(events.contexts[-WINDOW:])


def test_an_arm_that_nobody_named_becomes_its_own() -> None:
    policy, more = neural(), fixed_actions(["a", "b", "c"])
    policy.learn(crossed(200, seed=14))
    events = random_interactions(np.random.default_rng(15), more, 400)
    policy.learn(events)
    right = [policy.pmf({"x": x, "vip": int(x > 0.5), "os": "ios"}, more) for x in (1.5, -1.5)]
    assert right[0][0] > 0.8
    assert right[1][2] > 0.8


def test_a_reward_that_is_not_finite_teaches_nothing() -> None:
    policy, events, held = neural(), crossed(200, seed=16), crossed(20, seed=17)
    policy.learn(events)
    before = pmfs(policy, held).tobytes()
    with pytest.raises(InvalidInput, match="finite"):
        policy.learn(replace(events, reward=np.where(np.arange(200) == 150, np.nan, events.reward)))
    assert pmfs(policy, held).tobytes() == before


def test_it_is_for_fixed_actions_and_has_no_half_life() -> None:
    with pytest.raises(InvalidSettings, match="Expected fixed actions for `neural`"):
        NeuralPolicy.new(settings(actions=None), seed=0)
    with pytest.raises(InvalidSettings, match="Expected `neural`, got `lints`"):
        NeuralPolicy.new(settings("lints"), seed=0)
    assert [problem.path for problem in problems(settings(actions=None))] == ["$.policy.exploration"]
    assert [problem.sentence for problem in problems(settings(forgetting=500))] == [
        "A half-life is for `lints` and `linucb`, got `neural`: leave it out"
    ]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("weights", np.zeros((24, 63))),
        ("weights", np.zeros((25, 64))),
        ("weights", np.zeros(64)),
        ("weights", np.full((24, 64), np.nan)),
        ("bias", np.zeros(64, dtype=np.float32)),
        ("mean", np.zeros((1, 64))),
        ("scale", np.array([object()])),
    ],
)
def test_a_layer_that_does_not_fit_is_refused(tmp_path: Path, name: str, array: Floats) -> None:
    policy = neural()
    policy.learn(crossed(100, seed=18))
    policy.save(tmp_path)
    files = dict(zip(FILES, read_model(tmp_path, "neural", FILES), strict=True))
    with np.load(BytesIO(files["trunk.npz"])) as arrays:
        layer = {**arrays, name: array}
    damaged = BytesIO()
    np.savez(damaged, **layer)
    write_model(tmp_path, "neural", {**files, "trunk.npz": damaged.getvalue()})

    with pytest.raises(CorruptModel, match=r"trunk\.npz"):
        NeuralPolicy.load(tmp_path)
