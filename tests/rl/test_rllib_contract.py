"""Every algorithm of RLlib keeps the contract, each on an environment that fits; one Ray for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest
import torch

from rewardloop.actions import fixed_actions, ranged_actions
from rewardloop.errors import InvalidInput
from rewardloop.features import Features, parse_context
from rewardloop.policies.continuous import draw
from rewardloop.policies.onnx import OnnxPolicy
from rewardloop.policies.onnx_head import Head
from rewardloop.rl.deploying import context_of
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.rllib import RLlib
from rewardloop.rl.rllib.acting import Network
from rewardloop.rl.rllib.adapting import flat
from rewardloop.rl.rllib.cluster import running
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.toolkit import Plan
from rewardloop.testing.toolkit import ToolkitContract

ON: dict[str, Any] = {"train_batch_size_per_learner": 40, "net_arch": [8]}
OFF: dict[str, Any] = {
    "num_steps_sampled_before_learning_starts": 20,
    "train_batch_size_per_learner": 8,
    "net_arch": [8],
    "rollout_fragment_length": 8,
}
DREAMS: dict[str, Any] = {
    "model_size": "nano",
    "batch_size_B": 1,
    "batch_length_T": 4,
    "horizon_H": 2,
    "training_ratio": 0.25,
    "rollout_fragment_length": 20,
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ppo": ("Tracking", {**ON, "minibatch_size": 20, "num_epochs": 2, "activation": "relu"}),
    "appo": ("Several", ON),
    "impala": ("Switches", ON),
    "dqn": ("Numbered", OFF),
    "rainbow": ("Choosing", {**OFF, "v_min": -20.0, "v_max": 0.0}),
    "sac": ("Tracking", OFF),
    "dreamerv3": ("Tracking", DREAMS),
}
EXPORTED = [name for name in CASES if name != "dreamerv3"]


def a_plan(algorithm: str, **changes: Any) -> Plan:
    env, parameters = CASES[algorithm]
    made: dict[str, Any] = {"n_steps": 160, "checkpoint_every": 80, "seed": 3, "parameters": parameters, **changes}
    normalise = algorithm in ("ppo", "sac")
    return Plan(env=EnvSpec(f"rl_worlds:{env}"), toolkit="rllib", algorithm=algorithm, normalise=normalise, **made)


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    with running("", n_cpus=2):
        yield


class TestRLlib(ToolkitContract):
    def make_toolkit(self) -> RLlib:
        return RLlib()

    def plans(self) -> list[Plan]:
        brief = {"dreamerv3": {"n_steps": 40, "checkpoint_every": 20}}
        return [a_plan(algorithm, **brief.get(algorithm, {})) for algorithm in CASES]


@pytest.mark.parametrize(
    ("algorithm", "changes"),
    [(name, {}) for name in EXPORTED]
    + [("ppo", {"env": "Several"}), ("appo", {"env": "Pixels", "parameters": {**ON, "conv_filters": [[4, 8, 8], [4, 4, 4]]}})],
)
def test_the_export_is_the_policy_to_a_millionth(tmp_path: Path, algorithm: str, changes: dict[str, Any]) -> None:
    world = changes.get("env", CASES[algorithm][0])
    given = {name: value for name, value in changes.items() if name != "env"}
    plan = msgspec.structs.replace(a_plan(algorithm, **given, n_steps=40), env=EnvSpec(f"rl_worlds:{world}"))
    toolkit, env = RLlib(), make_env(plan.env)
    toolkit.train(plan, tmp_path / "checkpoints", lambda _: True)
    checkpoint = newest_checkpoint(tmp_path / "checkpoints")
    exported, network = toolkit.export(plan, checkpoint), Network(plan, checkpoint)
    session = onnxruntime.InferenceSession(exported.onnx)
    policy = OnnxPolicy(exported.onnx, exported.head)
    actor = toolkit.actor(plan, checkpoint)
    env.observation_space.seed(0)
    for observation in (env.observation_space.sample() for _ in range(20)):
        row = flat(network.seen, observation)
        row = network.moments.applied(row) if network.moments is not None else row
        expected = network.numbers(torch.from_numpy(row[None])).detach().numpy()[0]
        context = parse_context(context_of(observation))
        numbers = session.run(None, {"observation": exported.head.vector(context)})[0][0]
        assert numbers.shape == expected.shape
        if exported.head.kind != "normal":
            np.testing.assert_allclose(numbers, expected, rtol=1e-6, atol=1e-6)
        _assert_acts_alike(policy, exported.head, context, np.asarray(actor.act(observation, None)))


def _assert_acts_alike(policy: OnnxPolicy, head: Head, context: Features, action: np.ndarray[Any, Any]) -> None:
    if head.low:
        ranges = ranged_actions(head.low, head.high).ranges
        assert ranges is not None
        values = draw(policy.spread(context, ranges), ranges, floor=0.0, explore=False, seed=0).values
        span = np.subtract(head.high, head.low)
        np.testing.assert_allclose(values / span, action / span, rtol=0, atol=1e-6)
        return
    pmf = policy.pmf(context, fixed_actions(tuple(map(str, range(head.n_arms)))))
    taken = int(np.ravel_multi_index(tuple(action.ravel().astype(int)), head.sizes))
    assert pmf[taken] >= max(pmf) - 1e-6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"normalise": True}, "`dreamerv3` scales observations by itself"),
        ({"parameters": {"net_arch": [8]}}, "`dreamerv3` has no hyperparameter `net_arch`"),
        ({"env": EnvSpec("rl_worlds:Switches")}, "`dreamerv3` takes discrete or box actions"),
    ],
)
def test_a_dreamer_refuses_what_it_cannot_do(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    plan = msgspec.structs.replace(a_plan("dreamerv3"), **changes)
    with pytest.raises(InvalidInput, match=said):
        RLlib().train(plan, tmp_path, lambda _: True)


def test_a_dreamer_remembers_within_an_episode_and_is_not_exported(tmp_path: Path) -> None:
    plan, toolkit = a_plan("dreamerv3", n_steps=20, checkpoint_every=20), RLlib()
    toolkit.train(plan, tmp_path, lambda _: True)
    actor = toolkit.actor(plan, newest_checkpoint(tmp_path))
    seen = np.array([0.5, -0.5], np.float32)
    episodes = []
    for _ in range(2):
        actor.begin(7)
        episodes.append([actor.act(seen, None).tolist() for _ in range(3)])
    assert episodes[0] == episodes[1]
    assert episodes[0][0] != episodes[0][1]
    with pytest.raises(InvalidInput, match="remembers what it saw before"):
        toolkit.export(plan, newest_checkpoint(tmp_path))
