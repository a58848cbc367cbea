"""What a search maximises, and what it never looks at: the head of a log or of a world's rounds, and the held-out tail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Protocol

import msgspec
import numpy as np

from rewardloop.clock import cpu_seconds
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import Estimate, judge, look
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies import Policy, new_policy
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.settings import ExperimentSettings, PolicySettings
from rewardloop.testbed.cell import Cell, Contender, Knobs
from rewardloop.testbed.played import played
from rewardloop.testbed.summary import estimate
from rewardloop.worlds.cascade import RankedWorld
from rewardloop.worlds.stream import World

TAIL: Final = 0.2
BATCH: Final = 100
"""Events of a log decided between two steps of learning."""
MIN_EVENTS: Final = 100


class Judgement(msgspec.Struct, frozen=True):
    """The winner on the held-out tail, beside what the experiment has now."""

    winner: Estimate
    current: Estimate
    difference: Estimate
    """Winner − current, paired: event by event, or seed by seed."""


class Judge(Protocol):
    """Values a policy on the head; compares two on the tail, which no value has seen."""

    @property
    def n_actions(self) -> int:
        """As many are on offer at once, at most."""

    def value(self, policy: PolicySettings) -> float: ...

    def compare(self, winner: PolicySettings, current: PolicySettings) -> Judgement: ...


class LogJudge:
    """An experiment's own log: progressive validation by importance on its head, doubly robust estimates on its tail."""

    def __init__(self, settings: ExperimentSettings, log: Interactions) -> None:
        """Raises `InvalidInput` for fewer than 100 events."""
        if len(log) < MIN_EVENTS:
            raise InvalidInput(f"Expected at least {MIN_EVENTS} closed events to search on, got {len(log)}; `join` looks for more")
        cut = round(len(log) * (1 - TAIL))
        self._settings = settings
        self._head, self._tail = log.take(np.arange(cut)), log.take(np.arange(cut, len(log)))

    @property
    def n_actions(self) -> int:
        return max(map(len, self._head.actions))

    def value(self, policy: PolicySettings) -> float:
        """Σ w·r / Σ w, w = π(a)/p of the policy as it was before it learned the event."""
        target, _ = self._learn(policy)
        weight = target / self._head.probability
        return float(weight @ self._head.reward / weight.sum()) if weight.sum() > 0 else float(self._head.reward.min())

    def compare(self, winner: PolicySettings, current: PolicySettings) -> Judgement:
        """As the gate would, at the level of its settings; raises `InvalidInput` where the tail supports no estimate."""
        serves = {
            name: partial(_serve, self._learn(policy)[1], policy.floor)
            for name, policy in (("candidate", winner), ("hosted", current))
        }
        log: Callable[[], Iterator[Interactions]] = partial(iter, [self._tail])
        report = judge(look(log, serves, self._settings.training.seed), self._settings.gate, self._settings.reward.range)
        if report.difference is None or report.hosted is None:
            raise InvalidInput(f"Expected a tail of events to judge on, got {len(self._tail)}; search on a longer log")
        estimator = self._settings.gate.estimator
        return Judgement(report.candidate[estimator], report.hosted[estimator], report.difference)

    def _learn(self, policy: PolicySettings) -> tuple[Floats, Policy]:
        """(n,) the probability of each logged action before it was learned, and the policy after all of the head."""
        settings = msgspec.structs.replace(self._settings, policy=policy)
        learner, target = new_policy(settings, settings.training.seed), np.empty(len(self._head))
        for start in range(0, len(self._head), BATCH):
            rows = np.arange(start, min(start + BATCH, len(self._head)))
            part = self._head.take(rows)
            target[rows] = _serve(learner, policy.floor, part)[part.chosen]
            learner.learn(part)
        return target, learner


class WorldJudge:
    """A world: the policy plays it; the head is its first rounds, the tail those after."""

    def __init__(self, world: World | RankedWorld, rounds: int, n_seeds: int) -> None:
        self._world, self._knobs, self._n_seeds = world, Knobs(rounds=rounds), n_seeds

    @property
    def n_actions(self) -> int:
        world = self._world
        return len(world.catalogue().films) if isinstance(world, RankedWorld) else len(world.arms)

    def value(self, policy: PolicySettings) -> float:
        """Mean reward of the head, over the seeds."""
        windows = self._windows(policy)
        return float(windows[:, : _cut(windows)].mean())

    def compare(self, winner: PolicySettings, current: PolicySettings) -> Judgement:
        """Mean rewards of the tail; intervals over the seeds."""
        one, other = (windows[:, _cut(windows) :].mean(axis=1) for windows in map(self._windows, (winner, current)))
        return Judgement(estimate(one), estimate(other), estimate(one - other))

    def _windows(self, policy: PolicySettings) -> Floats:
        """(seeds, windows) mean rewards."""
        cells = (Cell(Contender("", policy), self._world.name, seed, self._knobs) for seed in range(self._n_seeds))
        return np.array([played(cell, self._world, cpu_seconds).curve for cell in cells])


def _cut(windows: Floats) -> int:
    return round(int(windows.shape[1]) * (1 - TAIL))


def _serve(policy: Policy, floor: float, events: Interactions) -> Floats:
    return serve_pmf_many(policy.pmf_many(events.contexts, events.actions), events.offsets, floor)
