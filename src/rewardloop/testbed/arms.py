"""A policy plays a stream: decides, waits for rewards, learns in batches, as the platform would. Floor and sampling are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies import Policy, new_policy
from rewardloop.policies.exploration import serve_rows
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings, RewardSettings
from rewardloop.testbed.cell import WINDOWS, Cell, Row, Spent
from rewardloop.testbed.delays import Underway, drawn_delays
from rewardloop.worlds.stream import Stream, World

_BLOCK = 4_096

CpuSeconds = Callable[[], float]


@runtime_checkable
class Replaying(Protocol):
    """A policy that may see events again."""

    def relearn(self, interactions: Interactions) -> None: ...


def play(cell: Cell, world: World, cpu: CpuSeconds) -> Row:
    """One run. The same cell gives the same rewards; its times are the machine's."""
    knobs = cell.knobs
    traffic, dice, waits = (np.random.default_rng([cell.seed, part]) for part in range(3))
    stream = world.stream(knobs.rounds, traffic)
    delays = drawn_delays(knobs, world.mean_delay, waits)
    player = Player(settings_for(cell.contender.policy, world.arms), world.arms, cell.seed, cpu)
    earned, spent = player.play(stream, delays, knobs.batch, dice)
    mean, n = float(earned.mean()), knobs.rounds
    return Row.of(cell, mean, curve(earned), spent, n_used=n, best=stream.best, best_fixed=stream.best_fixed)


def skyline(cell: Cell, world: World) -> Row:
    """The row of `skyline_cell`."""
    value = world.skyline()
    assert value is not None
    return Row.of(cell, value, (), Spent(0.0, 0.0, 0), n_used=0)


def settings_for(policy: PolicySettings, arms: ActionSet | None) -> ExperimentSettings:
    """An experiment with these arms and everything else at its default."""
    ids = None if arms is None else arms.ids
    return ExperimentSettings(experiment="testbed", actions=ids, policy=policy, reward=RewardSettings(range=(0.0, 1.0)))


def curve(earned: Floats) -> tuple[float, ...]:
    """Mean of each of at most 20 windows."""
    return tuple(float(part.mean()) for part in np.array_split(earned, min(WINDOWS, len(earned))))


def replay_sample(learner: LearnerSettings, known: Sequence[int], seed: int) -> Iterator[list[int]]:
    """The rows of each further pass over what is known."""
    for again in range(1, learner.replay):
        draw = np.random.default_rng([seed, len(known), again])
        rows: list[int] = draw.choice(known, size=min(len(known), learner.replay_events), replace=False).tolist()
        yield rows


class Player:
    """A fresh policy, and what it has seen."""

    def __init__(self, settings: ExperimentSettings, arms: ActionSet, seed: int, cpu: CpuSeconds) -> None:
        self._settings, self._arms, self._seed, self._cpu = settings, arms, seed, cpu
        self._policy: Policy = new_policy(settings, seed)
        self._k = len(arms)

    def play(self, stream: Stream, delays: Ints, batch: int, dice: np.random.Generator) -> tuple[Floats, Spent]:
        """(n,) the expected reward of each round as it was decided. Rewards still under way at the end are never learned."""
        n = len(stream.contexts)
        chosen, probability, u = np.empty(n, np.int64), np.empty(n), dice.random(n)
        pmfs = np.empty((n, self._k))
        underway, known = Underway(delays), list[int]()
        deciding = learning = 0.0
        for start in range(0, n, batch):
            rows = np.arange(start, min(start + batch, n))
            began = self._cpu()
            pmf = self._pmf(stream, rows)
            decided = self._cpu()
            pick = (pmf.cumsum(axis=1) > u[rows, None]).argmax(axis=1)
            chosen[rows], probability[rows], pmfs[rows] = pick, pmf[np.arange(len(rows)), pick], pmf
            underway.begin(rows.tolist())
            arrived = underway.arrived(int(rows[-1]))
            learned = self._cpu()
            if arrived:
                known += arrived if batch > 1 else ()
                self._learn(lambda index: self._logged(stream, index, chosen, probability, pmfs), arrived, known)
            deciding, learning = deciding + decided - began, learning + self._cpu() - learned
        return stream.means[np.arange(n), chosen], Spent(deciding, learning, n)

    def _pmf(self, stream: Stream, rows: Ints) -> Floats:
        if len(rows) == 1:
            raw = np.array([self._policy.pmf(stream.contexts[int(rows[0])], self._arms)])
        else:
            contexts = [stream.contexts[row] for row in rows.tolist()]
            parts = [contexts[i : i + _BLOCK] for i in range(0, len(contexts), _BLOCK)]
            raw = np.concatenate([self._policy.pmf_many(part, [self._arms] * len(part)) for part in parts]).reshape(-1, self._k)
        return serve_rows(raw, floor=self._settings.policy.floor)

    def _learn(self, logged: Callable[[Sequence[int]], Interactions], arrived: list[int], known: list[int]) -> None:
        """Batches are replayed as the loop replays them: further passes over a sample of history."""
        self._policy.learn(logged(arrived))
        if known and isinstance(self._policy, Replaying):
            for rows in replay_sample(self._settings.policy.learner, known, self._seed):
                self._policy.relearn(logged(rows))

    def _logged(self, stream: Stream, index: Sequence[int], chosen: Ints, probability: Floats, pmfs: Floats) -> Interactions:
        rows = np.asarray(index, np.int64)
        return Interactions(
            [str(row) for row in index],
            [stream.contexts[row] for row in index],
            [self._arms] * len(index),
            chosen[rows],
            probability[rows],
            stream.rewards[rows, chosen[rows]],
            pmfs[rows].ravel(),
            np.arange(len(index) + 1, dtype=np.int64) * self._k,
            np.zeros(len(index)),
            rows,
        )
