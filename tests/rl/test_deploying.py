"""A policy leaves its toolkit: the export gives its numbers, and the server that answers with it knows nothing of torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from rewardloop.actions import fixed_actions
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import parse_context
from rewardloop.loop.experiment import Experiment
from rewardloop.policies import load_policy
from rewardloop.policies.onnx import OnnxPolicy, save_policy
from rewardloop.policies.onnx_head import Head
from rewardloop.rl.deploying import context_of, deploy, settings_for
from rewardloop.rl.environments import make_env
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.runs.run import RunDirectory, Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.sb3 import StableBaselines3
from rewardloop.rl.sb3.acting import load_model
from rewardloop.settings import ExperimentSettings
from rl.test_sb3_contract import CASES
from rl.test_training import a_plan

DISCRETE = {name: case for name, case in CASES.items() if case[0] not in ("Tracking", "Reaching") and name != "recurrentppo"}
PICTURES = {"dqn": ("Pixels", CASES["dqn"][1]), "ppo": ("Pixels", CASES["ppo"][1])}


def a_deployable(data: Path, **changes: Any) -> RunDirectory:
    plan = a_plan("Choosing", **{"n_steps": 160, "normalise": True, **changes})
    return Runs(data).find(start(Runs(data), plan, Watching(eval_episodes=1), ManualClock()).run)


@pytest.mark.parametrize(("algorithm", "case"), [*DISCRETE.items(), *PICTURES.items()])
def test_the_export_gives_the_numbers_of_the_policy_to_a_millionth(tmp_path: Path, algorithm: str, case: Any) -> None:
    env_name, parameters = case
    normalise = env_name in ("Choosing", "Several", "Masked")
    plan = a_plan(env_name, algorithm=algorithm, n_steps=80, checkpoint_every=80, parameters=parameters, normalise=normalise)
    StableBaselines3().train(plan, tmp_path, lambda _: True)
    checkpoint = newest_checkpoint(tmp_path)
    exported, model = StableBaselines3().export(plan, checkpoint), load_model(plan, checkpoint)
    policy, env = OnnxPolicy(exported.onnx, exported.head), make_env(plan.env)
    arms = fixed_actions([str(i) for i in range(exported.head.n_arms)])
    for seed in range(10):
        observation, _ = env.reset(seed=seed)
        context = parse_context(context_of(observation))
        np.testing.assert_allclose(policy.pmf(context, arms), _pmf_by_torch(model, observation), rtol=0, atol=1e-6)
        if exported.head.kind == "greedy":
            np.testing.assert_allclose(policy.numbers(context), _numbers_by_torch(model, observation), rtol=1e-6, atol=1e-6)


def test_a_policy_with_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="remembers"):
        StableBaselines3().export(a_plan(algorithm="recurrentppo"), tmp_path)


def test_a_run_becomes_a_hosted_model_decides_is_audited_and_rolled_back(tmp_path: Path) -> None:
    run = a_deployable(tmp_path)
    with Experiment.open(settings_for(run, "thirds"), tmp_path, clock=ManualClock()) as opened:
        found = deploy(run, opened)
        assert (found.model_id, found.report, found.n_checked) == ("thirds.1", None, 20)
        assert found.source.startswith("simulator:ppo-choosing-1@")
        assert found.deployment is not None
        assert found.deployment.reason == "first"
        decision = opened.decide({"observation": [0.5, -0.5]})
        assert decision.model_id == "thirds.1"
        assert decision.probability == decision.pmf[decision.action] >= 0.02 / 3 - 1e-12
        opened.reward(decision.event_id, 1.0)
        audited = opened.audit(decision.event_id)
        assert audited.same
        assert audited.rewards[0].reward == 1.0
        assert opened.roll_back().model_id == "thirds.0"
        with pytest.raises(Conflict, match="taken in"):
            opened.rebuild("thirds.1")


def test_the_gate_judges_a_second_policy_by_logged_rewards(tmp_path: Path) -> None:
    """The first was trained to choose well, the second, by an inverted taste, badly: events tell."""
    run = a_deployable(tmp_path)
    clock = ManualClock()
    settings = ExperimentSettings(experiment="thirds", actions=3)
    settings = msgspec.structs.replace(settings, policy=msgspec.structs.replace(settings.policy, floor=0.3))
    generator = np.random.default_rng(0)
    good, bad = _fixed(np.eye(2)), _fixed(-np.eye(2))
    with Experiment.open(settings, tmp_path, clock=clock) as opened:
        opened.take_in(good, "good@1", (), {})
        for i in range(1500):
            seen = generator.uniform(-1, 1, 2)
            decision = opened.decide({"observation": seen.tolist()}, event_id=f"e{i}")
            right = int(seen[1] > seen[0])
            opened.reward(decision.event_id, float(decision.action == right), final=True)
        clock.advance(1_000_000)
        record, report, deployment = opened.take_in(bad, "bad@1", (), {})
        assert report is not None
        assert (report.passed, deployment) == (False, None)
        found = deploy(run, opened, force=True)
        assert found.deployment is not None
        assert found.deployment.reason == "manual"
        _, report, deployment = opened.take_in(good, "good@2", (), {})
        assert report is not None
        assert report.passed
        assert deployment is not None
        assert deployment.reason == "gate"
        assert opened.train().parent is None, "a bandit beside it begins from the log, not from a network"
        assert record.model_id == "thirds.2"


def test_an_experiment_with_other_actions_is_refused(tmp_path: Path) -> None:
    run = a_deployable(tmp_path)
    for actions, words in ((2, "has 2"), (None, "none that are fixed")):
        settings = ExperimentSettings(experiment=f"other-{actions or 0}", actions=actions)
        with Experiment.open(settings, tmp_path) as opened, pytest.raises(Conflict, match=words):
            deploy(run, opened)


def test_a_context_without_a_reading_is_refused_by_its_place() -> None:
    policy, arms = _fixed(np.eye(2)), fixed_actions(["a", "b", "c"])
    for context, words in (({"observation[0]": 1.0}, "nothing"), ({"observation[0]": 1.0, "observation[1]": "warm"}, "a text")):
        with pytest.raises(InvalidInput, match=rf"got {words} - at `\$.context.observation\[1\]`"):
            policy.pmf(context, arms)
    with pytest.raises(InvalidInput, match="3 actions"):
        policy.pmf({"observation[0]": 1.0, "observation[1]": 0.0}, fixed_actions(["a"]))


def test_a_saved_policy_loads_answers_the_same_and_damage_is_refused(tmp_path: Path) -> None:
    policy, arms = _fixed(np.eye(2)), fixed_actions(["a", "b", "c"])
    contexts = [{"observation[0]": float(x), "observation[1]": float(y)} for x, y in np.random.default_rng(1).normal(size=(20, 2))]
    policy.save(tmp_path)
    loaded = load_policy(tmp_path)
    rows = [list(policy.pmf(context, arms)) for context in contexts]
    assert [list(loaded.pmf(context, arms)) for context in contexts] == rows
    assert loaded.pmf_many(contexts, [arms] * 20).tolist() == np.concatenate(rows).tolist()
    assert loaded.pmf_many([], []).shape == (0,)
    whole = (tmp_path / "policy.onnx").read_bytes()
    (tmp_path / "policy.onnx").write_bytes(whole[:-1])
    with pytest.raises(CorruptModel):
        load_policy(tmp_path)
    save_policy(tmp_path, whole[: len(whole) // 2], Head(kind="greedy", inputs=(), sizes=(1,)))
    with pytest.raises(CorruptModel, match="ONNX"):
        load_policy(tmp_path)
    with pytest.raises(InvalidSettings, match="rl deploy"):
        OnnxPolicy.new(ExperimentSettings(experiment="x", actions=2), 0)


def test_serving_such_a_model_needs_neither_torch_nor_a_toolkit(tmp_path: Path) -> None:
    run = a_deployable(tmp_path)
    with Experiment.open(settings_for(run, "thirds"), tmp_path) as opened:
        deploy(run, opened)
    code = (
        "import sys\nfrom rewardloop.loop.experiment import Experiment\nimport rewardloop.serving.worker\n"
        f"with Experiment.open('thirds', {str(tmp_path)!r}) as opened:\n"
        "    assert opened.decide({'observation': [0.5, 0.5]}).model_id == 'thirds.1'\n"
        "heavy = ('torch', 'ray', 'stable_baselines3', 'gymnasium', 'optuna', 'tensorboard')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def _fixed(weights: Any) -> OnnxPolicy:
    """Log-odds of three arms: ±20 × each of two numbers, and an arm that is never liked."""
    module = torch.nn.Linear(2, 3).double()
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(np.vstack([20 * np.asarray(weights), np.zeros((1, 2))])))
        module.bias.copy_(torch.tensor([0.0, 0.0, -40.0]))
    return OnnxPolicy(_as_onnx(module), Head(kind="softmax", inputs=("observation[0]", "observation[1]"), sizes=(3,)))


def _as_onnx(module: torch.nn.Module) -> bytes:
    import tempfile  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(directory) / "network.onnx"
        example = (torch.zeros((1, 2), dtype=torch.float64),)
        torch.onnx.export(module, example, path, input_names=["observation"], output_names=["numbers"], dynamo=False)
        return path.read_bytes()


def _tensor(model: BaseAlgorithm, observation: Any) -> Any:
    normaliser = model.get_vec_normalize_env()
    return model.policy.obs_to_tensor(normaliser.normalize_obs(observation) if normaliser is not None else observation)[0]


def _numbers_by_torch(model: BaseAlgorithm, observation: Any) -> Any:
    policy: Any = model.policy
    with torch.no_grad():
        seen = _tensor(model, observation)
        kind = type(model).__name__
        if kind == "DQN":
            return policy.q_net(seen)[0].numpy()
        if kind == "QRDQN":
            return policy.quantile_net(seen).mean(dim=1)[0].numpy()
        return policy.action_net(policy.extract_features(seen, policy.features_extractor))[0].numpy()


def _pmf_by_torch(model: BaseAlgorithm, observation: Any) -> Any:
    """By the toolkit's own distributions."""
    if type(model).__name__ in ("DQN", "QRDQN", "ARS"):
        numbers = _numbers_by_torch(model, observation)
        return np.eye(len(numbers))[int(numbers.argmax())]
    policy: Any = model.policy
    with torch.no_grad():
        dealt = policy.get_distribution(_tensor(model, observation))
        inner = getattr(dealt, "distribution", None) or dealt.distributions
        if isinstance(inner, list):
            return np.multiply.outer(inner[0].probs[0].numpy(), inner[1].probs[0].numpy()).ravel()
        probabilities = inner.probs[0].numpy()
        if type(inner).__name__ == "Bernoulli":
            pairs = [np.array([1 - p, p]) for p in probabilities]
            return np.multiply.outer(*pairs).ravel()
        return probabilities
