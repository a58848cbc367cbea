"""Sequential off-policy evaluation where the truth is known: bias, error and coverage of every estimator.

    python benchmarks/off_policy_episodes.py [LOGS]

Two worlds, γ .95. A corridor of five states, eight steps, solved by dynamic programming; logged by a fair coin, the target goes
right 7 times in 10. CartPole of at most 40 steps: logged by a logistic rule on the pole's angle and speed, the target is a steeper
one, its value from 20,000 episodes of its own. The corridor is quick and sees five times as many logs.
"""

from __future__ import annotations

import sys
import time

import gymnasium
import numpy as np

from rewardloop.evaluation.sequential import Trajectories, evaluate_episodes
from rewardloop.interactions import Floats

STATES, HORIZON, SLIP = 5, 8, 0.15
STEPS = 40
GAMMA = 0.95
LOGGING, TARGET = 1.0, 2.0
"""How steeply the rules of CartPole answer."""


def corridor(generator: np.random.Generator, n: int) -> tuple[Trajectories, Floats]:
    """n episodes of a fair coin, and the target at each step."""
    state = np.zeros(n, np.int64)
    seen, done, paid = [], [], []
    for _ in range(HORIZON):
        action = generator.integers(2, size=n)
        there = np.clip(state + 2 * action - 1, 0, STATES - 1)
        after = np.where(generator.random(n) < SLIP, state, there)
        seen.append(state)
        done.append(action)
        paid.append((after == STATES - 1) - 0.1 * action + generator.normal(0, 0.3, n))
        state = after
    states, actions, rewards = (np.column_stack(part).ravel() for part in (seen, done, paid))
    logged = Trajectories(np.eye(STATES)[states], actions, np.full(len(actions), 0.5), rewards, np.arange(n + 1) * HORIZON)
    return logged, np.tile([0.3, 0.7], (len(actions), 1))


def corridor_truth() -> float:
    """By dynamic programming."""
    value = np.zeros(STATES)
    for _ in range(HORIZON):
        after = np.zeros(STATES)
        for state in range(STATES):
            for action, p in ((0, 0.3), (1, 0.7)):
                there = min(max(state + 2 * action - 1, 0), STATES - 1)
                for found, q in ((there, 1 - SLIP), (state, SLIP)):
                    after[state] += p * q * ((found == STATES - 1) - 0.1 * action + GAMMA * value[found])
        value = after
    return float(value[0])


def pole(generator: np.random.Generator, n: int, steepness: float) -> tuple[Trajectories, Floats]:
    """n episodes of the logistic rule, and the target at each step."""
    env = gymnasium.make("CartPole-v1", max_episode_steps=STEPS)
    seen, done, chance, sizes = [], [], [], []
    for seed in generator.integers(1 << 31, size=n).tolist():
        observation, _ = env.reset(seed=seed)
        over, size = False, 0
        while not over:
            right = _right(observation, steepness)
            action = int(generator.random() < right)
            seen.append(observation)
            done.append(action)
            chance.append(right if action else 1 - right)
            observation, _, ended, cut, _ = env.step(action)
            over, size = ended or cut, size + 1
        sizes.append(size)
    env.close()
    observations = np.array(seen, np.float64)
    target = np.array([_right(row, TARGET) for row in observations])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    logged = Trajectories(observations, np.array(done), np.array(chance), np.ones(len(done)), offsets)
    return logged, np.column_stack([1 - target, target])


def pole_truth() -> tuple[float, float]:
    """Value and standard error."""
    logged, _ = pole(np.random.default_rng(10**6), 20_000, TARGET)
    returns = (1 - GAMMA**logged.lengths) / (1 - GAMMA)
    return float(returns.mean()), float(returns.std() / np.sqrt(len(returns)))


def _right(observation: Floats, steepness: float) -> float:
    return 1 / (1 + float(np.exp(-steepness * (observation[2] + 0.5 * observation[3]))))


def main(n_logs: int) -> None:
    truth, error = pole_truth()
    print(f"CartPole's value {truth:.4f} ± {error:.4f}")
    for world, true, model, n in (
        ("corridor", corridor_truth(), "linear", 5 * n_logs),
        ("CartPole", truth, "linear", n_logs),
        ("corridor", corridor_truth(), "trees", n_logs // 2),
        ("CartPole", truth, "trees", n_logs // 5),
    ):
        found: dict[str, list[tuple[float, float, float]]] = {}
        refused, began = 0, time.process_time()
        for seed in range(n):
            generator = np.random.default_rng(seed)
            logged, target = corridor(generator, 300) if world == "corridor" else pole(generator, 300, LOGGING)
            report = evaluate_episodes(logged, target, gamma=GAMMA, model=model, seed=seed)  # type: ignore[arg-type]
            refused += not report.supported
            for name, each in report.estimates.items():
                found.setdefault(name, []).append((each.value, each.lower, each.upper))
        cpu = (time.process_time() - began) / n
        print(f"\n{world}, {model}: truth {true:.4f}, {n} logs of 300 episodes, {refused} refused, {cpu:.2f} s CPU a log")
        print(f"{'estimator':14} {'bias':>8} {'rmse':>8} {'coverage':>8} {'width':>8}")
        for name, rows in found.items():
            value, lower, upper = np.array(rows).T
            rmse, inside = float(np.sqrt(np.square(value - true).mean())), float(((lower <= true) & (true <= upper)).mean())
            print(f"{name:14} {value.mean() - true:8.4f} {rmse:8.4f} {inside:8.3f} {(upper - lower).mean():8.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
