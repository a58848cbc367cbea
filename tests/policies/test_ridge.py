from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from rewardloop.actions import fixed_actions
from rewardloop.errors import CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.exploration import sample
from rewardloop.policies.native.ridge import SETTLED, RidgePolicy
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import Exploration

ARMS = ("a", "b", "c", "d")
OFFERED = fixed_actions(ARMS)


def ridge(
    exploration: Exploration = "lints", reward: tuple[float, float] | None = None, arms: Sequence[str] | int = ARMS
) -> RidgePolicy:
    actions = arms if isinstance(arms, int) else tuple(arms)
    policy, rewards = PolicySettings(exploration=exploration), RewardSettings(range=reward)
    return RidgePolicy.new(ExperimentSettings(experiment="offers", actions=actions, policy=policy, reward=rewards), seed=0)


def interactions(
    contexts: Sequence[Features], arms: Sequence[int], rewards: Sequence[float], offered: Sequence[str] = ARMS
) -> Interactions:
    n, k = len(contexts), len(offered)
    return Interactions(
        event_ids=[str(i) for i in range(n)],
        contexts=contexts,
        actions=[fixed_actions(offered)] * n,
        action=np.array(arms, dtype=np.int64),
        probability=np.full(n, 1 / k),
        reward=np.array(rewards, dtype=np.float64),
        pmf=np.full(n * k, 1 / k),
        offsets=np.arange(n + 1) * k,
        sample_prob=np.zeros(n),
        closed_at=np.zeros(n, dtype=np.int64),
    )


def saddle(rng: np.random.Generator, n: int) -> tuple[list[Features], Floats]:
    """Numbers on scales far apart, and which arm pays: the quadrant of two of them, which no linear model sees."""
    x = rng.normal(size=(n, 3))
    contexts: list[Features] = [{"1": a, "2": 1e6 + 1e3 * b, "3": 1e-6 * c} for a, b, c in x.tolist()]
    return contexts, np.where(x[:, 0] * x[:, 1] > 0, 0, 2)


def progressive(policy: RidgePolicy, low: float = 0.0, high: float = 1.0, scale: float = 1.0, batch: int = 100) -> float:
    """Share of 2,000 decisions that were right, learning as it goes from one arm's reward at a time."""
    rng = np.random.default_rng(1)
    contexts, best = saddle(rng, 2_000)
    contexts = [{name: scale * float(x) for name, x in context.items()} for context in contexts]
    right = 0
    for start in range(0, len(contexts), batch):
        part = contexts[start : start + batch]
        pmf = policy.pmf_many(part, [OFFERED] * batch).reshape(batch, -1).tolist()
        chosen = [sample(row, u) for row, u in zip(pmf, rng.random(batch).tolist(), strict=True)]
        hit = np.array(chosen) == best[start : start + batch]
        policy.learn(interactions(part, chosen, np.where(hit, high, low).tolist()))
        right += int(hit.sum())
    return right / len(contexts)


@pytest.mark.parametrize("exploration", ["lints", "linucb"])
def test_it_learns_what_no_linear_model_sees_from_numbers_as_they_come(exploration: Exploration) -> None:
    assert progressive(ridge(exploration)) > 0.85


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 100.0), (1e6, 1e6 + 1)])
def test_the_range_of_rewards_does_not_matter(low: float, high: float) -> None:
    assert progressive(ridge(), low, high) == pytest.approx(progressive(ridge()), abs=0.01)
    assert progressive(ridge(reward=(low, high)), low, high) == pytest.approx(progressive(ridge(reward=(0, 1))), abs=0.01)


def test_the_scale_of_features_does_not_matter() -> None:
    assert progressive(ridge(), scale=1e4) == pytest.approx(progressive(ridge()), abs=0.01)


def test_event_by_event_it_learns_at_least_as_well() -> None:
    assert progressive(ridge(), batch=1) > 0.85


def test_a_range_that_grows_moves_earlier_rewards_with_it() -> None:
    early, late = [0.0, 1.0] * 40, [100.0] * 40
    arms = [0, 1] * 40 + [2] * 40
    stepwise, at_once = ridge(), ridge()
    stepwise.learn(interactions([{}] * 80, arms[:80], early))
    stepwise.learn(interactions([{}] * 40, arms[80:], late))
    at_once.learn(interactions([{}] * 120, arms, early + late))

    assert stepwise.pmf({}, OFFERED) == pytest.approx(at_once.pmf({}, OFFERED), abs=1e-9)


def test_a_reward_beyond_a_declared_range_counts_as_its_end() -> None:
    honest, wild = ridge(reward=(0.0, 1.0)), ridge(reward=(0.0, 1.0))
    honest.learn(interactions([{}] * 90, [0, 0, 1] * 30, [1.0, 0.0, 0.7] * 30))
    wild.learn(interactions([{}] * 90, [0, 0, 1] * 30, [1e9, -1.0, 0.7] * 30))

    assert wild.pmf({}, OFFERED) == honest.pmf({}, OFFERED)


def test_fresh_it_is_uniform() -> None:
    assert list(ridge().pmf({"x": 1.0}, OFFERED)) == [0.25] * 4
    assert ridge().pmf_many([{}, {}], [OFFERED] * 2).tolist() == [0.25] * 8


def test_the_first_events_one_by_one_come_to_the_same_bits_as_all_at_once() -> None:
    contexts, best = saddle(np.random.default_rng(2), SETTLED)
    rewards = (best == 0).astype(float).tolist()
    one_by_one, at_once = ridge(), ridge()
    for context, reward in zip(contexts, rewards, strict=True):
        one_by_one.learn(interactions([context], [0], [reward]))
    at_once.learn(interactions(contexts, [0] * SETTLED, rewards))

    assert [one_by_one.pmf(c, OFFERED) for c in contexts] == [at_once.pmf(c, OFFERED) for c in contexts]


def test_of_some_of_its_arms_it_prefers_as_before() -> None:
    policy = ridge("linucb")
    policy.learn(interactions([{}] * 400, [0, 1, 2, 3] * 100, [1.0, 0.8, 0.5, 0.0] * 100))

    assert list(policy.pmf({}, fixed_actions(["d", "b", "c"]))) == [0.0, 1.0, 0.0]
    assert policy.pmf_many([{}, {}], [fixed_actions(["d", "b"]), OFFERED]).tolist() == [0, 1, 1, 0, 0, 0]


def test_an_arm_it_never_heard_of_has_its_share_until_it_learns_from_it() -> None:
    policy, more = ridge("linucb"), (*ARMS, "new")
    policy.learn(interactions([{}] * 400, [0, 1, 2, 3] * 100, [0.5, 0.4, 0.2, 0.0] * 100))
    assert list(policy.pmf({}, fixed_actions(more))) == [0.8, 0.0, 0.0, 0.0, 0.2]
    assert list(policy.pmf({}, fixed_actions(["x", "y"]))) == [0.5, 0.5]

    policy.learn(interactions([{}] * 100, [4] * 100, [1.0] * 100, more))
    assert list(policy.pmf({}, fixed_actions(more))) == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_a_thousand_arms_leave_fewer_columns_and_no_more_memory() -> None:
    policy = ridge(arms=1_000)
    ids = [str(i) for i in range(1, 1_001)]
    context: Features = {f"f{i}": float(i) for i in range(200)}
    policy.learn(interactions([context] * 60, list(range(60)), [0.0, 1.0] * 30, ids))

    assert policy._regression.moments.gram.nbytes <= 8 << 24
    assert sum(policy.pmf(context, fixed_actions(ids))) == pytest.approx(1.0)
    with pytest.raises(InvalidInput, match="at most 1000 actions, got 1001"):
        policy.learn(interactions([{}], [0], [1.0], ["one too many"]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_reward_that_is_not_finite_is_refused_and_nothing_learned(bad: float) -> None:
    policy = ridge()
    with pytest.raises(InvalidInput, match="finite"):
        policy.learn(interactions([{}, {}], [0, 1], [1.0, bad]))

    assert list(policy.pmf({}, OFFERED)) == [0.25] * 4


@pytest.mark.parametrize(("actions", "exploration", "at"), [(None, "lints", "$.actions"), (4, "squarecb", "$.policy.exploration")])
def test_what_it_cannot_do_is_said_at_once(actions: int | None, exploration: Exploration, at: str) -> None:
    settings = ExperimentSettings(experiment="offers", actions=actions, policy=PolicySettings(exploration=exploration))
    with pytest.raises(InvalidSettings) as caught:
        RidgePolicy.new(settings, seed=0)
    assert caught.value.at == at


def forge(directory: Path, name: str, content: bytes) -> None:
    """Damage with the right checksum: what a bug or an enemy would write."""
    (directory / name).write_bytes(content)
    header = msgspec.json.decode((directory / "policy.json").read_bytes())
    header["files"][name] = hashlib.sha256(content).hexdigest()
    (directory / "policy.json").write_bytes(msgspec.json.encode(header))


def saved(directory: Path) -> None:
    policy = ridge()
    policy.learn(interactions([{"x": float(i)} for i in range(60)], [0] * 60, [0.0, 1.0] * 30))
    policy.save(directory)


@pytest.mark.parametrize(
    "forgery",
    [
        {"gram": np.zeros((4, 2, 2))},
        {"gram": np.zeros((4, 3, 3), dtype=np.float32)},
        {"inverse": np.full((4, 3, 3), np.nan)},
        {"rewarded": np.array([[{"os": "system"}]], dtype=object)},
        {"n_updates": None},
    ],
)
def test_forged_sums_are_refused_by_name(tmp_path: Path, forgery: dict[str, Any]) -> None:
    saved(tmp_path)
    with np.load(tmp_path / "ridge.npz") as arrays:
        forged = {**arrays, **forgery}
    content = io.BytesIO()
    np.savez(content, **{name: array for name, array in forged.items() if array is not None})
    forge(tmp_path, "ridge.npz", content.getvalue())

    with pytest.raises(CorruptModel, match=r"ridge\.npz"):
        RidgePolicy.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"pairs":[[0,0]', b'"pairs":[[0,9]'),
        (b'"pairs":[[0,0],[0,1]', b'"pairs":[[0,0],[5,9]'),
        (b'"lints"', b'"pickle"'),
        (b'"ids":["a"', b'"ids":[7'),
    ],
)
def test_a_forged_state_is_refused_by_name(tmp_path: Path, old: bytes, new: bytes) -> None:
    saved(tmp_path)
    state = (tmp_path / "ridge.json").read_bytes()
    assert old in state
    forge(tmp_path, "ridge.json", state.replace(old, new))

    with pytest.raises(CorruptModel, match=r"ridge\.json"):
        RidgePolicy.load(tmp_path)


def test_a_saved_policy_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    contexts, best = saddle(np.random.default_rng(3), 600)
    policy = ridge()
    learned = interactions(contexts, best.tolist(), [0.0, 1.0] * 300)
    policy.learn(learned.take(np.arange(500)))
    for i in range(500, 550):
        policy.learn(learned.take(np.array([i])))
    policy.save(tmp_path)
    loaded = RidgePolicy.load(tmp_path)
    for each in (policy, loaded):
        each.learn(learned.take(np.arange(550, 600)))

    assert [loaded.pmf(c, OFFERED) for c in contexts] == [policy.pmf(c, OFFERED) for c in contexts]


def test_the_same_model_is_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        saved(tmp_path / name)

    for file in ("policy.json", "ridge.json", "ridge.npz"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_logged_probabilities_do_not_weigh() -> None:
    even = interactions([{}] * 60, [0, 1] * 30, [1.0, 0.0] * 30)
    one, other = ridge(), ridge()
    one.learn(even)
    other.learn(replace(even, probability=np.tile([0.01, 0.99], 30)))

    assert one.pmf({}, OFFERED) == other.pmf({}, OFFERED)
