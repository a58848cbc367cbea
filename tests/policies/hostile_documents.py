"""Feeds hostile documents to a policy until it dies or the documents run out: `hostile_documents.py EXPLORATION N`.

Prints how many were served, how many refused, and by how many KB the process grew in the second half.
"""

from __future__ import annotations

import json
import random
import resource
import sys

import numpy as np

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.features import Features, parse_context
from rewardloop.interactions import Interactions
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings

NAMES = (
    "a", "1", "0", "-1", " ", "a b", "a:b", "|", "|a", "\t", "\n", "'", '"', "\\", "\0", "x\0y", "ü", "日本", "🙂", "\u2028",
    "\x7f", "_label_cost", "_multi", "_slots", "_text", "__proto__", "s", "a=b", "1e999", "shared", "4294967295",
    "18446744073709551616", "x" * 256, "y" * 257, "\ufeff", "é" * 200, "%s%n", "../../etc/passwd", "<script>", "\ud800",
)  # fmt: skip
VALUES = (
    0, 1, -1, 0.0, -0.0, 1e-320, 1e30, -1e30, 9.99e29, 1e31, 2**63, -(2**63), 10**29, 0.1, float("nan"), float("inf"), True, False,
    None, "", " ", "ios", "\0", "ü", "a b|c:d", "x" * 5_000, [], [1, 2.5], ["a"], [[1]], {}, {"b": 1}, {"_c": 2}, {"d": {"e": "f"}},
)  # fmt: skip


def document(dice: random.Random) -> bytes:
    if dice.random() < 0.05:
        return dice.randbytes(dice.randrange(40))
    names = dice.choices(NAMES if dice.random() < 0.3 else NAMES[:20], k=dice.randrange(12))
    values = dice.choices(VALUES if dice.random() < 0.3 else [*VALUES[:8], *VALUES[16:25]], k=len(names))
    raw = json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=dice.random() < 0.5).encode(errors="surrogatepass")
    return raw[: dice.randrange(len(raw))] if dice.random() < 0.05 else raw


def offer(dice: random.Random) -> bytes:
    if dice.random() < 0.3:
        return json.dumps(dice.choices(NAMES, k=dice.randrange(6))).encode()
    items = [b'{"id": %b, "features": %b}' % (json.dumps(dice.choice(NAMES)).encode(), document(dice)) for _ in range(3)]
    return b"[" + b", ".join(items[: dice.randrange(1, 4)]) + b"]"


def event(context: Features, actions: ActionSet, dice: random.Random) -> Interactions:
    k = len(actions)
    chosen, reward, probability = dice.randrange(k), dice.choice([0.0, 1.0, -1e30, 1e30]), dice.choice([1e-300, 0.1, 1.0])
    return Interactions(
        ["e"], [context], [actions], np.array([chosen]), np.array([probability]), np.array([reward]), np.full(k, 1 / k),
        np.array([0, k]), np.zeros(1), np.zeros(1, dtype=np.int64),
    )  # fmt: skip


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1_024 if sys.platform == "darwin" else 1)


def main(exploration: str, n: int) -> None:
    learner = LearnerSettings(bits=12)
    settings = ExperimentSettings(experiment="fuzz", policy=PolicySettings(exploration=exploration, learner=learner))  # type: ignore[arg-type]
    policy, dice = VowpalWabbitPolicy.new(settings, seed=0), random.Random(exploration)
    served = refused = half_kb = 0
    fallback = parse_actions(b'["a", "b", "c"]')
    for i in range(n):
        if i == n // 2:
            half_kb = peak_kb()
        try:
            context = parse_context(document(dice))
            actions = parse_actions(offer(dice)) if dice.random() < 0.3 else fallback
        except InvalidInput:
            refused += 1
            continue
        pmf = policy.pmf(context, actions)
        assert min(pmf) >= 0, pmf
        assert abs(sum(pmf) - 1) < 1e-6, pmf
        policy.learn(event(context, actions, dice))
        served += 1
    print(served, refused, peak_kb() - half_kb)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
