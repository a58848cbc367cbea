"""Batch learning from logged episodes: the contract, what is learned, what is exported, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium import spaces

from rewardloop.actions import Ranges
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.continuous import draw
from rewardloop.policies.onnx import OnnxPolicy
from rewardloop.rl.deploying import deploy, settings_for
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.logged.acting import ServedPolicy, flat
from rewardloop.rl.logged.episodes import Header, Logged
from rewardloop.rl.logged.evaluating import judge
from rewardloop.rl.logged.files import read_episodes, write_episodes
from rewardloop.rl.logged.replay import replayed
from rewardloop.rl.offline import Offline
from rewardloop.rl.playing.comparing import compare
from rewardloop.rl.playing.evaluating import evaluate_run, seeds_of
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import resume, start
from rewardloop.rl.toolkit import Plan
from rewardloop.testing.toolkit import ToolkitContract
from rl_worlds import follow

ENVS = {"bc": "Tracking", "marwil": "Several", "iql": "Tracking", "cql": "Masked", "bcq": "Switches"}


def third(observation: Any) -> int:
    """What is right in `Choosing`."""
    return int((observation[0] + 1) * 1.499)


def logged_by_chance(name: str, path: Path, n: int = 20, skill: float = 0.0) -> str:
    """n episodes of `rl_worlds`, written to a file; a share of `skill` of the actions are right."""
    spec = EnvSpec(f"rl_worlds:{name}")
    env, generator = make_env(spec), np.random.default_rng(0)
    env.action_space.seed(0)
    seen, last, done, paid = [], [], [], []
    for seed in range(n):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            action = env.action_space.sample()
            if generator.random() < skill:
                action = follow(observation) if name == "Tracking" else third(observation)
            seen.append(flat(observation))
            done.append(_plain(env.action_space, action))
            observation, reward, ended, cut, _ = env.step(action)
            paid.append(float(reward))
            over = ended or cut
        last.append(flat(observation))
    low, high = ((10.0, -5.0), (30.0, 5.0)) if name == "Tracking" else ((), ())
    actions = np.array(done)
    n_actions = 0 if name == "Tracking" else int(np.prod(getattr(env.action_space, "nvec", [4 if name == "Switches" else 3])))
    header = Header(policy="chance", env=spec, n_actions=n_actions, low=low, high=high)
    size = len(done) // n
    ids = tuple(map(str, range(n)))
    columns = (np.array(seen), np.array(last), actions, np.array(paid), np.arange(n + 1) * size, np.zeros(n, bool))
    write_episodes(path, Logged(header, ids, *columns))
    env.close()
    return str(path)


def _plain(space: spaces.Space[Any], action: Any) -> Any:
    match space:
        case spaces.MultiDiscrete():
            return int(np.ravel_multi_index(tuple(action), tuple(space.nvec)))
        case spaces.MultiBinary():
            return int(action[0]) * 2 + int(action[1])
    return action


def a_plan(algorithm: str, episodes: str, env: str = "Choosing", **changes: Any) -> Plan:
    plan = Plan(
        env=EnvSpec(f"rl_worlds:{env}"), toolkit="offline", algorithm=algorithm, n_steps=60, checkpoint_every=20, episodes=episodes
    )  # fmt: skip
    return msgspec.structs.replace(plan, **{"parameters": {"net_arch": [16], "batch_size": 64}, **changes})


class TestOffline(ToolkitContract):
    @pytest.fixture(autouse=True)
    def files(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        root = tmp_path_factory.mktemp("episodes")
        self._files = {name: logged_by_chance(name, root / f"{name}.parquet") for name in set(ENVS.values())}

    def make_toolkit(self) -> Offline:
        return Offline()

    def plans(self) -> list[Plan]:
        return [a_plan(algorithm, self._files[env], env) for algorithm, env in ENVS.items()]


@pytest.fixture(scope="module")
def half_right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("half")
    return {name: logged_by_chance(name, root / f"{name}.parquet", 40, skill=0.5) for name in ("Choosing", "Tracking")}


@pytest.mark.parametrize("algorithm", ["bc", "marwil", "iql", "cql", "bcq"])
def test_choices_are_learned_from_a_log_that_is_right_two_times_in_three(
    half_right: dict[str, str], tmp_path: Path, algorithm: str
) -> None:
    plan = a_plan(algorithm, half_right["Choosing"], n_steps=400, checkpoint_every=400, parameters={"gamma": 0.5})
    Offline().train(plan, tmp_path, lambda _: True)
    logged = read_episodes(Path(plan.episodes)).returns.mean()
    returns = Offline().evaluate(plan, newest_checkpoint(tmp_path), range(10))
    assert np.mean(returns) > 0.3 * logged  # Rewards are below zero: so much nearer to nothing lost.


@pytest.mark.parametrize("algorithm", ["bc", "marwil", "iql"])
def test_continuous_actions_are_learned(half_right: dict[str, str], tmp_path: Path, algorithm: str) -> None:
    plan = a_plan(algorithm, half_right["Tracking"], "Tracking", n_steps=400, checkpoint_every=400, parameters={"gamma": 0.5})
    Offline().train(plan, tmp_path, lambda _: True)
    logged = read_episodes(Path(plan.episodes)).returns.mean()
    assert np.mean(Offline().evaluate(plan, newest_checkpoint(tmp_path), range(10))) > 0.9 * logged


def test_what_is_better_is_learned_from_chance_alone_and_cloning_cannot(tmp_path: Path) -> None:
    episodes = logged_by_chance("Choosing", tmp_path / "e.parquet", 40)
    found = {}
    for algorithm in ("bc", "marwil", "cql"):
        parameters = {"gamma": 0.0, "beta": 3.0} if algorithm == "marwil" else {"gamma": 0.0}
        plan = a_plan(algorithm, episodes, n_steps=400, checkpoint_every=400, parameters=parameters)
        Offline().train(plan, tmp_path / algorithm, lambda _: True)
        found[algorithm] = np.mean(Offline().evaluate(plan, newest_checkpoint(tmp_path / algorithm), range(10)))
    assert found["marwil"] > found["bc"] / 2
    assert found["cql"] > found["bc"] / 2


@pytest.mark.parametrize(("algorithm", "env"), [*ENVS.items(), ("iql", "Several")])
def test_the_export_acts_as_the_policy_does(tmp_path: Path, algorithm: str, env: str) -> None:
    plan = a_plan(algorithm, logged_by_chance(env, tmp_path / "e.parquet"), env)
    Offline().train(plan, tmp_path / "run", lambda _: True)
    checkpoint = newest_checkpoint(tmp_path / "run")
    exported, actor = Offline().export(plan, checkpoint), Offline().actor(plan, checkpoint)
    policy, made = OnnxPolicy(exported.onnx, exported.head), make_env(plan.env)
    served, ranges = ServedPolicy(exported), Ranges(exported.head.low, exported.head.high)
    for seed in range(10):
        observation, _ = made.reset(seed=seed)
        features = dict(zip(exported.head.inputs, flat(observation).tolist(), strict=True))
        if ranges.low:
            values = draw(policy.spread(features, ranges), ranges, floor=0.0, explore=False, seed=0).values
            assert np.abs((actor.act(observation, None) - values) / [20, 10]).max() <= 1e-6
        else:
            pmf = np.array(served.pmf(flat(observation), None))
            assert pmf[_plain(made.action_space, actor.act(observation, None))] >= pmf.max() - 1e-6
    made.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episodes": ""}, "Expected logged episodes to learn from"),
        ({"episodes": "none.parquet"}, "Expected a Parquet file"),
        ({"env": EnvSpec("CartPole-v1")}, "Expected the 4 numbers that the environment shows, got 2 others"),
        (
            {"env": EnvSpec("rl_worlds:Tracking"), "algorithm": "bc"},
            "Expected 2 continuous actions as the environment has, got 3 numbered",
        ),
        ({"env": EnvSpec("rl_worlds:Tracking")}, "`cql` takes discrete or multi_discrete or multi_binary actions"),
        ({"n_workers": 2}, "in one process - at `--workers`"),
        ({"parameters": {"alpha": -1}}, "refuses its hyperparameters"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    half_right: dict[str, str], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        Offline().train(msgspec.structs.replace(a_plan("cql", half_right["Choosing"]), **change), tmp_path, lambda _: True)
    assert not list(tmp_path.iterdir())


def test_a_run_goes_on_with_the_episodes_it_began_with_and_with_no_others(tmp_path: Path) -> None:
    episodes = logged_by_chance("Choosing", tmp_path / "e.parquet")
    manifest = start(Runs(tmp_path), a_plan("bc", episodes), Watching(eval_episodes=1), ManualClock())
    assert manifest.best is not None
    logged_by_chance("Choosing", tmp_path / "e.parquet", 21)
    with pytest.raises(Conflict, match="not the file this run began to learn from"):
        resume(Runs(tmp_path), manifest.run, ManualClock(), n_steps=80)


def test_without_a_simulator_a_policy_is_learned_judged_and_served_but_not_played(tmp_path: Path) -> None:
    by_chance = read_episodes(Path(logged_by_chance("Choosing", tmp_path / "e.parquet", 60)))
    unknown = replace(
        by_chance,
        header=Header(inputs=("observation[0]", "observation[1]"), n_actions=3),
        last=None,
        terminated=~by_chance.terminated,
        probability=np.full(len(by_chance.action), 1 / 3),
    )
    write_episodes(tmp_path / "own.parquet", unknown)
    spec = replayed(tmp_path / "own.parquet")
    plan = msgspec.structs.replace(a_plan("bc", str(tmp_path / "own.parquet")), env=spec)
    run = Runs(tmp_path).find(start(Runs(tmp_path), plan, Watching(eval_episodes=0), ManualClock()).run)
    served = ServedPolicy(Offline().export(plan, run.chosen()))
    report = judge(read_episodes(tmp_path / "own.parquet"), served, gamma=0.5, model="linear")
    assert report.supported
    with pytest.raises(InvalidInput, match="no simulator to play in"):
        evaluate_run(run, "best", seeds_of(1), {})
    with pytest.raises(InvalidInput, match="no simulator to play in"):
        compare(spec, [run], overrides={}, n_episodes=5, rules={}, n_constants=0)
    with Experiment.open(settings_for(run, "own"), tmp_path, clock=ManualClock()) as opened:
        assert deploy(run, opened).deployment is not None
        assert len(opened.decide({"observation": [0.1, 0.2]}).pmf) == 3
