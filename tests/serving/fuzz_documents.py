"""Hostile documents through parsing, validation and a decision: `python fuzz_documents.py SEED N` prints what came of them.

A script, so that a crash of the process (the parser of an engine is C++) fails the test that runs it, and only that.
"""

from __future__ import annotations

import json
import random
import resource
import sys
from typing import Any

import msgspec
import numpy as np

from rewardloop.actions import fixed_actions, parse_actions
from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.rewarding import Rewarder, RewardRequest
from rewardloop.errors import InvalidInput, NotFound
from rewardloop.ids import EventIds
from rewardloop.interactions import Interactions
from rewardloop.policies import Policy, new_policy
from rewardloop.serving.reading import decode
from rewardloop.settings import ExperimentSettings, PolicySettings

PLAIN = ["age", "ü", "年", "a b", "a:1", "a|b", "x.y", "\U0001f600", "ÿ", "é|1:0.5", "0", "features", "\ufeff", "\u2028", "'"]
NAMES = ["_label", "_slots", "_multi", "_label_cost", "_text", "__proto__", "", "\n", "\x00", "c" * 300, '"', "\\", "a[0]", *PLAIN]
WORDS = ["|", ":", "shared |s", "0:1:0.5 |", "1:nan", "nan", "inf", "1e999", "x" * 5_000, "\t|x", "\u0085", *NAMES]
NUMBERS = [0, 1, -1, 0.5, -0.0, 1e-320, 1e29, -1e29, 2**53, 2**64, 3.4e38, 0.1, 7, 100]
HUGE = [1e30, 1e31, -1e308, 10**40]
TOKENS = [
    *[b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"nul", b"\xff", b'"\\ud800"', b"'a'", b"01", b"+1", b".5", b"1."],
    *[b"\x00", b"[", b"{", b"}", b"]", b",", b"//", b"", b'"', b"\\u005f", b"\\"],
]

decide_decoder = msgspec.json.Decoder(DecideRequest)
reward_decoder = msgspec.json.Decoder(RewardRequest)


class Documents:
    """Documents that are nearly right, each wrong in its own way; about half are right."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._chance = self._random.random
        self._pick = self._random.choice

    def next(self, free: bool) -> bytes:
        """`free`: for an experiment whose requests bring their actions."""
        body = self._reward() if self._chance() < 0.1 else self._decide(free)
        raw = json.dumps(body, ensure_ascii=self._chance() < 0.5).encode("utf-8", "surrogatepass")
        for _ in range(self._pick([0, 0, 0, 0, 0, 0, 0, 0, 1, 3])):
            at = self._random.randint(0, len(raw))
            raw = raw[:at] + self._pick(TOKENS) + raw[at + self._pick([0, 0, 1, 8]) :]
        return raw

    def _reward(self) -> dict[str, Any]:
        return {"event_id": self._pick(WORDS), "reward": self._value(0), "experiment": self._pick(["arms", "arms", "nope"])}

    def _decide(self, free: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"context": self._mapping(0) if self._chance() < 0.97 else self._value(0)}
        if self._chance() < (0.95 if free else 0.2):
            body["actions"] = self._offered(free)
        if self._chance() < 0.2:
            body["event_id"] = self._pick(WORDS)
        if self._chance() < 0.05:
            body["excluded"] = [self._pick(["1", "2", "3", *WORDS]) for _ in range(self._random.randint(0, 2))]
        if self._chance() < 0.2:
            body["explore"] = self._pick([True, False, False, 1])
        if self._chance() < 0.03:
            body[self._pick(NAMES)] = self._value(0)
        return body

    def _offered(self, free: bool) -> Any:
        kind = self._chance()
        n = self._pick([1, 2, 3, 3, 3, 3, self._pick([0, 5])])
        if kind < (0.1 if free else 0.8):
            return [str(i + 1) for i in range(n)]
        if kind < 0.9:
            return [{"id": self._pick([str(i), f"{i}{self._pick(PLAIN)}"]), "features": self._mapping(1)} for i in range(n)]
        return [self._pick([self._pick(WORDS), {"id": self._pick(WORDS)}, {"id": i}, {"features": {}}]) for i in range(n)]

    def _mapping(self, depth: int) -> dict[str, Any]:
        names = PLAIN if self._chance() < 0.97 else NAMES
        return {self._pick(names): self._value(depth) for _ in range(self._random.randint(0, 6))}

    def _value(self, depth: int) -> Any:
        kind = self._chance()
        if kind < 0.5:
            return self._pick(NUMBERS) if kind < 0.3 else self._random.uniform(-10, 10)
        if kind < 0.502:
            return self._pick(HUGE)
        if kind < 0.8 or depth > 6:
            return self._pick([*WORDS, True, False, None])
        if kind < 0.9:
            return [self._pick(NUMBERS) for _ in range(self._random.randint(0, 4))]
        return self._mapping(depth + 1) if kind < 0.995 else [self._value(depth + 1)]


def _trained(settings: ExperimentSettings) -> Policy:
    """A policy with something to say: one that has learned nothing may never ask its engine."""
    raw = b'[{"id": "1", "features": {"p": 1, "c": "x"}}, {"id": "2", "features": {"p": 2}}, {"id": "3"}]'
    actions = parse_actions(raw) if settings.action_ids is None else fixed_actions(settings.action_ids)
    n = 60
    learned = Interactions(
        event_ids=[str(i) for i in range(n)],
        contexts=[{"age": i % 7, "os": "ios", "x": i / n} for i in range(n)],
        actions=[actions] * n,
        action=np.arange(n) % 3,
        probability=np.full(n, 1 / 3),
        reward=(np.arange(n) % 3 == 1).astype(float),
        pmf=np.full(3 * n, 1 / 3),
        offsets=np.arange(0, 3 * n + 1, 3),
        sample_prob=np.zeros(n),
        closed_at=np.arange(n),
    )
    policy = new_policy(settings, 0)
    policy.learn(learned)
    return policy


class Target:
    """Three experiments: the native engine, and Vowpal Wabbit with and without features of actions."""

    def __init__(self) -> None:
        clock = ManualClock()
        ids = EventIds(clock, key=7, start=0)
        kinds = [("arms", 3, None), ("free", None, "regcbopt"), ("wabbit", 3, "egreedy")]
        self._experiments = []
        for tag, (name, actions, exploration) in enumerate(kinds, 1):
            policy = PolicySettings(exploration=exploration)  # type: ignore[arg-type]
            settings = ExperimentSettings(experiment=name, actions=actions, policy=policy)
            self._experiments.append((Decider(settings, tag, ids, clock), Hosted(f"{name}.1", _trained(settings), 0.02)))
        self._rewarder = Rewarder(ids, clock, [(1, ExperimentSettings(experiment="arms", actions=3))])

    def accepts(self, raw: bytes, which: int) -> bool:
        try:
            if b'"reward"' in raw:
                self._rewarder.reward(decode(reward_decoder, raw))
            else:
                self._decide(raw, which)
        except (InvalidInput, NotFound) as refused:
            json.dumps(refused.problem()).encode()
            return False
        return True

    def _decide(self, raw: bytes, which: int) -> None:
        decider, hosted = self._experiments[which % 3]
        decision, _ = decider.decide(hosted, decode(decide_decoder, raw))
        msgspec.msgpack.encode(decision)
        assert decision.probability == decision.pmf[decision.action] > 0, raw
        assert abs(sum(decision.pmf) - 1) < 1e-6, raw


def main(seed: int, n: int) -> None:
    documents, target = Documents(seed), Target()
    accepted = sum(target.accepts(documents.next(i % 3 == 1), i) for i in range(n // 2))
    half = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    accepted += sum(target.accepts(documents.next(i % 3 == 1), i) for i in range(n // 2, n))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - half
    print(json.dumps({"accepted": accepted, "refused": n - accepted, "grown_kib": grown}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
