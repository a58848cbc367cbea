"""The simulated client: asks over HTTP, sees the reward of what it was told to do, and reports it, a batch at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from rewardloop.client import Client
from rewardloop.clock import SECOND, Clock
from rewardloop.demo.worlds import World


class Progress(NamedTuple):
    """What one batch earned."""

    n: int
    reward: float
    model_id: str


def play(
    world: World, client: Client, clock: Clock, *, rounds: int, batch: int, rounds_per_second: float, seed: int
) -> Iterator[Progress]:
    """Play, no faster than told, so that the loop beside it has time to learn."""
    draws = world.rounds(rounds, np.random.default_rng(seed))
    started_at = clock.now()
    done = 0
    while chunk := list(islice(draws, batch)):
        decided = client.decide_many([context for context, _ in chunk])
        earned = [float(answer.action == right) for answer, (_, right) in zip(decided, chunk, strict=True)]
        client.reward_many([(answer.event_id, reward) for answer, reward in zip(decided, earned, strict=True)])
        done += len(chunk)
        yield Progress(len(chunk), sum(earned), decided[-1].model_id)
        time.sleep(max(0.0, done / rounds_per_second - (clock.now() - started_at) / SECOND))
