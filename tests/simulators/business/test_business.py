"""Every business environment keeps the same laws; each baseline is strong, no return passes the bound,
and there is something to learn.
"""

from __future__ import annotations

import re
import warnings
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rewardloop import simulators
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.playing.comparing import compare
from rewardloop.rl.playing.controllers import RandomActor, baselines_of
from rewardloop.rl.playing.episodes import Episode, play
from rewardloop.rl.playing.evaluating import evaluate_run, seeds_of
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.toolkit import Plan
from rewardloop.simulators.business.autoscaling import Autoscaling
from rewardloop.simulators.business.bin_packing import BinPacking
from rewardloop.simulators.business.episode import Business, Masked
from rewardloop.simulators.business.knapsack import Knapsack
from rewardloop.simulators.business.newsvendor import Newsvendor
from rewardloop.simulators.business.portfolio import Portfolio
from rewardloop.simulators.business.storage import Storage, best_revenue
from rewardloop.simulators.business.tic_tac_toe import TicTacToe
from rewardloop.simulators.business.travelling_salesman import TravellingSalesman

NAMES = ("Knapsack", "BinPacking", "Newsvendor", "TravellingSalesman", "Portfolio", "Autoscaling", "Storage", "TicTacToe")
BEST = {"Autoscaling": "predictive", "TravellingSalesman": "two-opt", "Portfolio": "best linear rule"}
SHARE = {"Knapsack": 0.95, "BinPacking": 1.1, "Newsvendor": 0.7, "TravellingSalesman": 1.05, "Autoscaling": 1.6, "Storage": 0.75}
"""How near to the bound the baseline's mean is at least, for rewards; at most, for costs."""

QUICK: dict[str, Any] = {
    "n_steps": 256,
    "batch_size": 64,
    "n_epochs": 5,
    "learning_rate": 2e-3,
    "gamma": 0.98,
    "net_arch": [32, 32],
}


def made(name: str, **parameters: Any) -> Any:
    return make_env(EnvSpec(f"rewardloop/{name}-v0", parameters))


def returns(env: Any, actor: Any, n: int = 12) -> list[Episode]:
    return [play(env, actor, seed) for seed in range(n)]


def test_the_table_lists_them_with_everything_said() -> None:
    listed = {entry.id: entry for entry in simulators.catalogue()}
    for name in NAMES:
        entry = listed[f"rewardloop/{name}-v0"]
        assert all((entry.about, entry.observation, entry.action, entry.reward, entry.source, entry.extra == "rl"))
        counted = re.match(r"(\d+)", entry.observation)
        assert counted is not None
        assert made(name).observation_space.shape == (int(counted[1]),)


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_finds_nothing_to_say(name: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(we recommend using a symmetric|different from the unwrapped).*")
        check_env(made(name).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_and_the_actions_decide_everything(name: str) -> None:
    one, other = made(name), made(name)
    rule = next(iter(baselines_of(one).values()))
    for seed in (3, 4):
        seen: list[list[Any]] = [[], []]
        for env, steps in zip((one, other), seen, strict=True):
            play(env, rule, seed, lambda step, steps=steps: steps.append((step.observation.tobytes(), step.reward)))
        assert seen[0] == seen[1]
    assert not np.array_equal(one.reset(seed=3)[0], one.reset(seed=5)[0]) or name == "TicTacToe"


@pytest.mark.parametrize("name", NAMES)
def test_nobody_passes_the_bound_and_the_baseline_is_strong(name: str) -> None:
    env = made(name)
    rules = baselines_of(env)
    chance = returns(env, RandomActor(env.action_space))
    played = {rule: returns(env, actor) for rule, actor in rules.items()}
    for episode in (*chance, *(episode for episodes in played.values() for episode in episodes)):
        assert env.observation_space.contains(env.reset(seed=episode.seed)[0])
        assert episode.episode_return <= episode.metrics["bound"] + 1e-6
        assert episode.metrics["gap"] == pytest.approx(episode.metrics["bound"] - episode.episode_return, abs=1e-6)
    means = {rule: np.mean([episode.episode_return for episode in episodes]) for rule, episodes in played.items()}
    best = BEST.get(name, next(iter(rules)))
    assert max(means, key=lambda rule: means[rule]) == best
    assert means[best] > np.mean([episode.episode_return for episode in chance])
    if name in SHARE:
        share = means[best] / np.mean([episode.metrics["bound"] for episode in played[best]])
        assert share >= SHARE[name] if SHARE[name] < 1 else share <= SHARE[name]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_action_is_refused_and_what_is_impossible_changes_nothing(name: str) -> None:
    env: Business = made(name).unwrapped
    for bad in ("left", None, -7, 999, float("nan"), [[0.5]], np.full(50, 0.1)):
        env.reset(seed=0)
        with pytest.raises(InvalidInput, match="Expected an action in"):
            env.step(bad)
    seen, _ = env.reset(seed=0)
    if isinstance(env, Masked):
        while env.action_masks().all():
            seen = env.step(int(np.flatnonzero(env.action_masks())[0]))[0]
        again, reward, terminated, *_ = env.step(int(np.flatnonzero(~env.action_masks())[0]))
        assert (reward, terminated) == (env.impossible, False)
        assert np.array_equal(again, seen)


@pytest.mark.parametrize("name", NAMES)
def test_steps_come_between_a_reset_and_an_end(name: str) -> None:
    env = made(name)
    with pytest.raises(Conflict, match="reset"):
        gymnasium.make(f"rewardloop/{name}-v0").step(env.action_space.sample())
    play(env, next(iter(baselines_of(env).values())), 0)
    with pytest.raises(Conflict, match="reset"):
        env.step(env.action_space.sample())


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        (Knapsack, {"n_items": 0}, "n_items"),
        (Knapsack, {"capacity": 39}, "from 40"),
        (BinPacking, {"capacity": 9.5}, "whole number"),
        (Newsvendor, {"n_periods": 3}, "from 4"),
        (TravellingSalesman, {"n_cities": 16}, "at most 15"),
        (TicTacToe, {"opponent": "pefect"}, "did you mean `perfect`"),
    ],
)
def test_parameters_are_checked(kind: Any, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        kind(**parameters)


def test_the_knapsacks_bound_is_the_optimum() -> None:
    env = Knapsack(n_items=8, capacity=60)
    for seed in range(5):
        env.reset(seed=seed)
        sets = np.array([[mask >> i & 1 for i in range(8)] for mask in range(256)])
        fits = sets @ env._weights <= 60
        assert env.bound() == (sets @ env._values)[fits].max() / 100


def test_the_tours_bound_is_the_optimum() -> None:
    env = TravellingSalesman(n_cities=7)
    for seed in range(3):
        env.reset(seed=seed)
        tours = [(0, *order, 0) for order in permutations(range(1, 7))]
        shortest = min(sum(env._ways[a, b] for a, b in pairwise(tour)) for tour in tours)
        assert env.bound() == pytest.approx(-shortest)


def test_the_newsvendors_bound_is_reached_with_hindsight() -> None:
    env = Newsvendor()
    env.reset(seed=1)
    early = int(env._demand[:3].sum())
    left, total = max(0, env._first - early), 0.0
    for period in range(50):
        needed = int(env._demand[period + 3]) if period + 3 < 50 else 0
        order, left = max(0, needed - left), max(0, left - needed)
        total += env.step(np.array([order / 50]))[1]
    assert env.bound() - 0.5 * 75 * 50 / 100 <= total <= env.bound()
    assert total == pytest.approx(env.bound(), abs=0.5)


def test_the_batterys_bound_is_the_best_of_all_coarse_plans() -> None:
    env = Storage(n_hours=4, measure_bound=False)
    for seed in range(3):
        env.reset(seed=seed)
        best = -np.inf
        for plan in np.ndindex(*[5] * 4):
            env.reset(seed=seed)
            best = max(best, sum(env.step(np.array([move / 2 - 1]))[1] for move in plan))
        assert best <= env.bound() + 1e-9
        assert best >= 0.9 * env.bound() - 0.1
    assert best_revenue(np.array([100.0, 10.0])) == pytest.approx(0.0)


def test_the_best_linear_rule_earns_what_theory_says() -> None:
    """400 seasons; the mean's standard error is about 1.3, so 5 is nearly 4 of them."""
    env = Portfolio(measure_bound=False)
    found = [play(env, baselines_of(env)["best linear rule"], seed).episode_return for seed in range(400)]
    assert np.mean(found) == pytest.approx(env.expected_optimum(), abs=4 * np.std(found) / 20)
    assert np.std(found) / 20 < 0.3 * env.expected_optimum()


def test_the_portfolios_bound_is_reached_with_hindsight() -> None:
    env = Portfolio(n_assets=1, n_days=30)
    env.reset(seed=2)
    days = 30
    chain = np.diag([2.2] * 29 + [1.2]) - np.eye(days, k=1) - np.eye(days, k=-1)
    best = np.linalg.solve(chain, env._returns[:, 0])
    assert np.abs(best).max() < 8
    assert sum(env.step(np.array([x / 8]))[1] for x in best) == pytest.approx(env.bound(), abs=1e-5)


def test_a_server_serves_only_after_its_delay_and_stops_at_once() -> None:
    env = Autoscaling(delay=2)
    env.reset(seed=0)
    running = env._running
    env.step(running + 4)
    assert (env._running, sum(env._starting)) == (running, 4)
    env.step(running + 4)
    assert (env._running, sum(env._starting)) == (running + 4, 0)
    env.step(running + 6)
    env.step(running + 1)
    assert (env._running, sum(env._starting)) == (running + 1, 0)


def test_perfect_play_never_loses_and_draws_with_itself() -> None:
    for opponent in ("random", "perfect", "self"):
        env = made("TicTacToe", opponent=opponent)
        found = {episode.episode_return for episode in returns(env, baselines_of(env)["perfect play"], 40)}
        assert min(found) >= 0
        assert found == {0.0} if opponent == "perfect" else 1.0 in found


def test_an_agent_meets_itself() -> None:
    """Whoever always plays the same is answered with what it played: the first move is no longer by chance."""
    env = TicTacToe()
    for seed in range(30):
        seen, _ = env.reset(seed=seed)
        if not seen.any():
            env.step(4)
    openings = {int(np.argmin(seen)) for seen in (env.reset(seed=seed)[0] for seed in range(30)) if seen.any()}
    assert openings == {4}


@pytest.mark.parametrize(
    ("name", "algorithm", "world"),
    [
        ("Knapsack", "maskableppo", {"n_items": 10, "capacity": 50}),
        ("Newsvendor", "ppo", {}),
        ("TicTacToe", "maskableppo", {"opponent": "random"}),
    ],
)
def test_a_short_training_learns(tmp_path: Path, name: str, algorithm: str, world: dict[str, Any]) -> None:
    env = EnvSpec(f"rewardloop/{name}-v0", world)
    plan = Plan(env=env, toolkit="sb3", algorithm=algorithm, n_steps=4096, parameters=QUICK, seed=1)
    run = Runs(tmp_path).find(start(Runs(tmp_path), plan, Watching(eval_episodes=0), ManualClock()).run)
    learned = evaluate_run(run, "last", seeds_of(20), {}).mean_return
    compared = compare(env, [], overrides={}, n_episodes=20, rules={}, n_constants=0)
    chance, strong = compared.rows[0].mean_return, compared.rows[1].mean_return
    assert learned > chance + 0.25 * (strong - chance)
