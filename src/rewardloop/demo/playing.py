"""The simulated client: asks over HTTP, sees the reward of what it was told to do, and reports it, a batch at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np

from rewardloop.client import Client
from rewardloop.clock import SECOND, Clock
from rewardloop.worlds.classification import World

ROUNDS = 16_000
N_WINDOWS = 40


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how fast to play: no faster than told, so that the loop beside it has time to learn."""

    rounds: int = ROUNDS
    batch: int = 25
    rounds_per_second: float = 250.0
    seed: int = 0

    @property
    def cycle(self) -> int:
        """After how many events the loop is to train again: every second or so, and often enough in a short demonstration."""
        return min(250, max(self.rounds // 12, 25))

    @property
    def window(self) -> int:
        """Over how many rounds, in whole batches, a reward is averaged: about forty such windows in all.

        >>> Pace(rounds=16_000, batch=25).window, Pace(rounds=90, batch=25).window
        (400, 25)
        """
        return max(round(self.rounds / N_WINDOWS / self.batch), 1) * self.batch


class Played(NamedTuple):
    """What one batch earned."""

    n: int
    reward: float
    model_id: str
    event_id: str


def play(world: World, client: Client, clock: Clock, pace: Pace) -> Iterator[Played]:
    """Play to the end, batch after batch."""
    draws = world.rounds(pace.rounds, np.random.default_rng(pace.seed))
    started_at = clock.now()
    done = 0
    while chunk := list(islice(draws, pace.batch)):
        decided = client.decide_many([context for context, _ in chunk])
        earned = [float(answer.action == right) for answer, (_, right) in zip(decided, chunk, strict=True)]
        client.reward_many([(answer.event_id, reward) for answer, reward in zip(decided, earned, strict=True)])
        done += len(chunk)
        yield Played(len(chunk), sum(earned), decided[-1].model_id, decided[-1].event_id)
        time.sleep(max(0.0, done / pace.rounds_per_second - (clock.now() - started_at) / SECOND))
