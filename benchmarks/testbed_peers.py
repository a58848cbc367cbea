"""Other packages' learners on the testbed's rounds. Run by `benchmarks.testbed` in an environment of their own.

    python testbed_peers.py ROUNDS.npz… > results.jsonl

A file holds the rounds of one world and seed: `X` (n, d), numbers standardised with the mean and deviation of the whole set, words
one-hot, which favours the peers (ours see raw values and scale as they go); `best` (n,) the right arm; `n_arms`. One JSON line a
learner and file: progressive mean reward, its 20 windows, microseconds of CPU a round.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

Decide = Callable[[np.ndarray], tuple[int, object]]
Learn = Callable[[np.ndarray, int, float, object], None]


def vowpal(n_arms: int, seed: int) -> tuple[Decide, Learn]:
    """Vowpal Wabbit as its documentation shows it: --cb_explore_adf, epsilon .05, context crossed with action."""
    from vowpalwabbit import pyvw  # noqa: PLC0415

    workspace = pyvw.Workspace(f"--cb_explore_adf --epsilon 0.05 -q sa --quiet --random_seed {seed}")
    dice = np.random.default_rng(seed)

    def lines(x: np.ndarray, arm: int | None = None, cost: float = 0.0, p: float = 1.0) -> list[str]:
        shared = "shared |s " + " ".join(f"f{i}:{value:.6g}" for i, value in enumerate(x) if value)
        labels = (f"0:{cost}:{p} " if k == arm else "" for k in range(n_arms))
        return [shared, *(f"{label}|a arm_{k}" for k, label in enumerate(labels))]

    def decide(x: np.ndarray) -> tuple[int, object]:
        pmf = np.maximum(workspace.predict(lines(x)), 0)
        pmf = pmf / pmf.sum()
        arm = int(dice.choice(n_arms, p=pmf))
        return arm, float(pmf[arm])

    def learn(x: np.ndarray, arm: int, reward: float, p: object) -> None:
        workspace.learn(lines(x, arm, -reward, float(p)))  # type: ignore[arg-type]

    return decide, learn


def mabwiser(policy: str, n_arms: int, seed: int) -> tuple[Decide, Learn]:
    from mabwiser.mab import MAB, LearningPolicy  # noqa: PLC0415

    kind = LearningPolicy.LinUCB(alpha=0.1) if policy == "ucb" else LearningPolicy.LinTS(alpha=0.1)
    mab = MAB(list(range(n_arms)), kind, seed=seed)
    fitted: list[bool] = []
    dice = np.random.default_rng(seed)

    def decide(x: np.ndarray) -> tuple[int, object]:
        return (mab.predict([np.append(x, 1.0)]) if fitted else int(dice.integers(n_arms))), None

    def learn(x: np.ndarray, arm: int, reward: float, _: object) -> None:
        (mab.partial_fit if fitted else mab.fit)([arm], [reward], [np.append(x, 1.0)])
        fitted.append(True)

    return decide, learn


def contextual(n_arms: int, seed: int) -> tuple[Decide, Learn]:
    from contextualbandits.online import LinUCB  # noqa: PLC0415

    model = LinUCB(n_arms, alpha=0.1, random_state=seed + 1)
    fitted: list[bool] = []
    dice = np.random.default_rng(seed)

    def decide(x: np.ndarray) -> tuple[int, object]:
        return int(model.predict(x[None])[0] if fitted else dice.integers(n_arms)), None

    def learn(x: np.ndarray, arm: int, reward: float, _: object) -> None:
        fitted.append(True)
        model.partial_fit(x[None], np.array([arm]), np.array([reward]))

    return decide, learn


def river(n_arms: int, seed: int) -> tuple[Decide, Learn]:
    from river import bandit  # noqa: PLC0415

    model, arms = bandit.LinUCBDisjoint(alpha=1.0, beta=100.0, seed=seed), list(range(n_arms))

    def features(x: np.ndarray) -> dict[int, float]:
        return dict(enumerate([1.0, *x.tolist()]))

    def decide(x: np.ndarray) -> tuple[int, object]:
        return model.pull(arms, context=features(x)), None

    def learn(x: np.ndarray, arm: int, reward: float, _: object) -> None:
        model.update(arm, features(x), reward)

    return decide, learn


def coba(kind: str, n_arms: int, seed: int) -> tuple[Decide, Learn]:
    from coba import learners  # noqa: PLC0415

    model = learners.VowpalSquarecbLearner(seed=seed) if kind == "squarecb" else learners.VowpalEpsilonLearner(seed=seed)
    arms = list(range(n_arms))

    def decide(x: np.ndarray) -> tuple[int, object]:
        action, p, more = model.predict(x.tolist(), arms)
        return int(action), (p, more)

    def learn(x: np.ndarray, arm: int, reward: float, known: object) -> None:
        p, more = known  # type: ignore[misc]
        model.learn(x.tolist(), arm, reward, p, **more)

    return decide, learn


PEERS: dict[str, Callable[[int, int], tuple[Decide, Learn]]] = {
    "VW, its default": vowpal,
    "MABWiser LinUCB": lambda n, seed: mabwiser("ucb", n, seed),
    "MABWiser LinTS": lambda n, seed: mabwiser("ts", n, seed),
    "contextualbandits LinUCB": contextual,
    "river LinUCB": river,
    "coba VW squarecb": lambda n, seed: coba("squarecb", n, seed),
}


def play(file: str, peer: str) -> dict[str, object]:
    with np.load(file) as rounds:
        X, best, n_arms, seed = rounds["X"], rounds["best"], int(rounds["n_arms"]), int(rounds["seed"])
        world = str(rounds["world"])
    decide, learn = PEERS[peer](n_arms, seed)
    earned, began = np.empty(len(X)), time.process_time()
    for i, x in enumerate(X):
        arm, known = decide(x)
        earned[i] = arm == best[i]
        learn(x, arm, earned[i], known)
    spent = time.process_time() - began
    curve = [float(part.mean()) for part in np.array_split(earned, 20)]
    return {
        "policy": peer,
        "world": world,
        "seed": seed,
        "rounds": len(X),
        "mean_reward": float(earned.mean()),
        "curve": curve,
        "round_us": 1e6 * spent / len(X),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    for file in sys.argv[1:]:
        for peer in PEERS:
            try:
                print(json.dumps(play(file, peer)), flush=True)
            except Exception as error:  # a peer that fails on a world is reported, and the others go on
                print(f"{peer} failed on {file}: {error!r}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
