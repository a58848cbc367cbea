"""One training step: a parent (or nothing) and the events that closed since become the next policy.

The step is a pure function of the parent's files, the data set and the settings. So any model can be made again: walk its
lineage to a model that still exists, or to the beginning, and take the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import msgspec
import numpy as np

from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet
from rewardloop.learning.examined import examined_stream
from rewardloop.learning.imitation import taught
from rewardloop.policies import new_policy
from rewardloop.policies.contract import Policy
from rewardloop.registry.records import GoldenRequest
from rewardloop.settings import ExperimentSettings

BATCH = 10_000
OFFERS = 200_000
"""Actions in a batch: its events are fewer where each offers more than twenty."""
N_GOLDEN = 5

Progress = Callable[[int], None]


@runtime_checkable
class Bulk(Protocol):
    """A policy that learns a stream faster than `learn`, with the same result."""

    def learn_bulk(self, stream: Iterator[Interactions]) -> None: ...


@runtime_checkable
class Replaying(Protocol):
    """A policy that gains from seeing history again; `relearn` changes weights, and no statistics of the data."""

    def relearn(self, interactions: Interactions) -> None: ...


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome of a step, not yet a model: `registry` gives it a name and keeps it."""

    policy: Policy
    n_trained: int
    metrics: dict[str, float]
    golden: tuple[GoldenRequest, ...]


def train(
    parent: Policy | None,
    data: DataSet,
    settings: ExperimentSettings,
    *,
    after: int,
    until: int,
    on_progress: Progress = lambda _: None,
) -> Trained:
    """Learn the training share of the events that closed in (after, until] on top of the parent, then replay history.

    `parent` is taken over and changed; load it afresh. Without one a new policy is made from the settings' seed.
    """
    policy = parent if parent is not None else new_policy(settings, settings.training.seed)
    tally = _Tally(on_progress)
    ratio = settings.training.ratio
    logged = data.interactions(after=after, until=until, split="train", ratio=ratio, batch=BATCH, offers=OFFERS)
    looked_at = examined_stream(logged, settings)
    stream = (batch for batch in (taught(each, settings.reward.range) for each in looked_at) if len(batch))
    if isinstance(policy, Bulk):
        policy.learn_bulk(map(tally.count, stream))
    else:
        for batch in stream:
            policy.learn(tally.count(batch))
    if isinstance(policy, Replaying) and tally.n:
        _replay(policy, data, settings, until)
    return Trained(policy, tally.n, tally.metrics(), golden_requests(policy, tally.last))


def _replay(policy: Replaying, data: DataSet, settings: ExperimentSettings, until: int) -> None:
    learner = settings.policy.learner
    for again in range(1, learner.replay):
        seed = settings.training.seed + until + again
        if settings.ranking.feedback == "all":
            again_seen = data.sample(learner.replay_events, seed=seed, before=until, split="train", ratio=settings.training.ratio)
        else:
            again_seen = _newest_examined(data, settings, until, seed)
        policy.relearn(taught(again_seen, settings.reward.range))


def _newest_examined(data: DataSet, settings: ExperimentSettings, until: int, seed: int) -> Interactions:
    """In random order; not a sample, because which slots were looked at is known of whole decisions only."""
    n = max(settings.policy.learner.replay_events, 1)
    batches = data.interactions(until=until, split="train", ratio=settings.training.ratio, newest=n, batch=n)
    found = Interactions.concatenated(list(examined_stream(batches, settings)))
    return found.take(np.random.default_rng(seed).permutation(len(found)))


class _Tally:
    """Counts what passes through on its way to the learner."""

    def __init__(self, on_progress: Progress) -> None:
        self.n = 0
        self.last: Interactions | None = None
        self._reward = 0.0
        self._on_progress = on_progress

    def count(self, batch: Interactions) -> Interactions:
        self.n += len(batch)
        self._reward += float(np.sum(batch.reward))
        self.last = batch if len(batch) else self.last
        self._on_progress(self.n)
        return batch

    def metrics(self) -> dict[str, float]:
        return {"mean_reward": self._reward / self.n} if self.n else {}


def golden_requests(policy: Policy, batch: Interactions | None, n: int = N_GOLDEN) -> tuple[GoldenRequest, ...]:
    """A few requests with the policy's answers, spread over a batch."""
    if batch is None:
        return ()
    rows = np.unique(np.linspace(0, len(batch) - 1, n).astype(int))
    return tuple(
        GoldenRequest(
            msgspec.json.encode(batch.contexts[i]).decode(),
            batch.actions[i].raw.decode(),
            tuple(map(float, policy.pmf(batch.contexts[i], batch.actions[i]))),
        )
        for i in rows
    )
