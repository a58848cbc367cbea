"""Online learning: the hosted model, plus everything that closed since, published again every `publish_interval`.

The loop's turns (`cycle`) still train, judge and keep the models that can be rebuilt. In between, this process learns from
rewards as they arrive and publishes snapshots named `{model}+{k}`. A new champion is the new base: the events that closed
after its watermark are learned on top of it. Killed, it starts again from the hosted model and the log: nothing is lost,
and nothing is learned twice, because a snapshot is never a base.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from threading import Event

import numpy as np
from msgspec.structs import replace

from rewardloop.actions import parse_actions
from rewardloop.clock import Clock
from rewardloop.deciding.hosted import first_model_id
from rewardloop.events import Record
from rewardloop.features import parse_context
from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet
from rewardloop.learning import examined, examined_stream, golden_requests
from rewardloop.learning.imitation import taught
from rewardloop.log import Cursor, LogReader
from rewardloop.loop.closing import Closed, Closing
from rewardloop.loop.deploying import Deploying
from rewardloop.loop.modelling import Modelling
from rewardloop.policies import new_policy
from rewardloop.policies.contract import Policy
from rewardloop.registry.names import ModelName, model_name
from rewardloop.registry.records import ModelRecord, with_exploration

POLL_SECONDS = 0.005
LOOK = 100_000
"""Microseconds between two looks at which model is the champion."""
READ = 5_000
KEPT_SNAPSHOTS = 200
MAX_RECENT = 200_000
"""Closed events kept in memory to be learned again on top of the next champion."""


class Online:
    """One experiment's online learner. Single-threaded: `step` does whatever is due."""

    def __init__(self, modelling: Modelling, deploying: Deploying, reader: LogReader, clock: Clock) -> None:
        self._modelling = modelling
        self._deploying = deploying
        self._reader = reader
        self._clock = clock
        self._settings = modelling.settings
        self._closing = Closing(self._settings.reward)
        self._recent: deque[Closed] = deque(maxlen=MAX_RECENT)
        self._cursor = Cursor()
        self._base = ""
        self._policy: Policy
        self._made_with = self._settings
        self._n_learned = 0
        self._n_published = 0
        self._last: Interactions | None = None
        self._watermark = 0
        self._looked_at = 0
        self._published_at = 0
        self._dirty = False

    def start(self, data: DataSet, cursor: Cursor) -> None:
        """Begin from the hosted model and a joined data set whose records end at the log position `cursor`."""
        self._cursor = cursor
        self._rebase(self._champion())
        ratio = self._settings.training.ratio
        for batch in examined_stream(data.interactions(after=self._watermark, split="train", ratio=ratio), self._settings):
            self._learn(batch)
        self._take(data.open_records())

    def step(self) -> bool:
        """Read, learn, publish when due; False when nothing had arrived."""
        self._follow_champion()
        records, self._cursor = self._reader.read(self._cursor, limit=READ)
        self._take(records)
        self._publish_when_due()
        return bool(records)

    def _take(self, records: Iterable[Record]) -> None:
        closed = [*self._closing.take(records), *self._closing.expire(self._clock.now())]
        training = [each for each in closed if each.decision.sample_prob <= self._settings.training.ratio]
        self._recent.extend(training)
        self._learn(examined(closed_interactions(training), self._settings))

    def _learn(self, logged: Interactions) -> None:
        interactions = taught(logged, self._settings.reward.range)
        if len(interactions):
            self._policy.learn(interactions)
            self._last = interactions
            self._n_learned += len(interactions)
            self._dirty = True

    def _follow_champion(self) -> None:
        now = self._clock.now()
        if now - self._looked_at < LOOK:
            return
        self._looked_at = now
        champion = self._champion()
        if champion != self._base:
            self._rebase(champion)
            fresh = closed_interactions(closed for closed in self._recent if closed.closed_at > self._watermark)
            self._learn(examined(fresh, self._settings))

    def _rebase(self, champion: str) -> None:
        self._base = champion
        if champion == first_model_id(self._settings.experiment):
            self._policy = new_policy(self._settings, self._settings.training.seed)
            self._made_with, self._watermark = with_exploration(self._settings), 0
        else:
            record = self._modelling.catalog.model(champion)
            self._policy = self._modelling.load(champion)
            # What the champion is goes on, also where the settings have another default by now.
            policy = replace(self._settings.policy, exploration=record.settings.exploration)
            self._made_with, self._watermark = replace(self._settings, policy=policy), record.watermark
        self._n_learned = 0
        self._n_published = max((name.snapshot for name in self._snapshots_of_base()), default=0)

    def _snapshots_of_base(self) -> Iterator[ModelName]:
        """A process before this one may have published on the same base: its names stay its own."""
        base = model_name(self._base)
        names = map(model_name, self._modelling.store.ids())
        return (name for name in names if name.n == base.n)

    def _champion(self) -> str:
        hosted = self._modelling.catalog.hosted(self._settings.experiment)
        return hosted.model_id if hosted else first_model_id(self._settings.experiment)

    def _publish_when_due(self) -> None:
        now = self._clock.now()
        if self._dirty and now - self._published_at >= self._settings.training.publish_interval:
            self._n_published += 1
            self._deploying.publish(self._snapshot(now), self._policy)
            self._published_at = now
            self._dirty = False
            if self._n_published % KEPT_SNAPSHOTS == 0:
                self._prune(now)

    def _snapshot(self, now: int) -> ModelRecord:
        return ModelRecord(
            model_id=f"{self._base}+{self._n_published}",
            experiment=self._settings.experiment,
            parent=self._base,
            created_at=now,
            watermark=self._watermark,
            dataset="",
            n_trained=self._n_learned,
            settings=self._made_with,
            metrics={},
            golden=golden_requests(self._policy, self._last, 1),
            files={},
        )

    def _prune(self, now: int) -> None:
        """The newest snapshots stay, and every model that is none."""
        store = self._modelling.store
        ids = store.ids()
        snapshots = [model_id for model_id in ids if model_name(model_id).snapshot]
        store.prune(set(ids) - set(snapshots[:-KEPT_SNAPSHOTS]), now)


def learn_online(online: Online, stop: Event) -> None:
    """Step until told to stop, resting 5 ms whenever nothing arrives."""
    while not stop.is_set():
        if not online.step():
            stop.wait(POLL_SECONDS)


def closed_interactions(closed: Iterable[Closed]) -> Interactions:
    """Closed events in their one order, as learning takes them."""
    events = sorted(closed, key=lambda each: (each.closed_at, each.decision.event_id))
    if not events:
        return Interactions.empty()
    decisions = [event.decision for event in events]
    return Interactions(
        [decision.event_id for decision in decisions],
        [parse_context(decision.context) for decision in decisions],
        [parse_actions(decision.actions) for decision in decisions],
        np.array([decision.action for decision in decisions], np.int64),
        np.array([decision.probability for decision in decisions]),
        np.array([event.reward for event in events]),
        np.concatenate([decision.pmf for decision in decisions]),
        np.cumsum([0, *(len(decision.pmf) for decision in decisions)]).astype(np.int64),
        np.array([decision.sample_prob for decision in decisions]),
        np.array([event.closed_at for event in events], np.int64),
        [decision.variant for decision in decisions],
    )
