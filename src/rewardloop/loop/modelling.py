"""The steps that make models: train the next one, make an old one again, judge one against the hosted one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from rewardloop.clock import Clock
from rewardloop.errors import Conflict, CorruptModel, UnknownModel
from rewardloop.evaluation import EvaluationReport, GateReport, Log, RankedReport, Seen, Subject, full_report, judge, look
from rewardloop.interactions import Floats, Interactions
from rewardloop.lake import DataSet
from rewardloop.learning import Trained, train
from rewardloop.learning.imitation import decided_by_models
from rewardloop.learning.training import Progress
from rewardloop.loop.drifting import drift_metrics, excused, n_evidence, restarts
from rewardloop.loop.hosted import first_model, first_model_id
from rewardloop.loop.probing import probe
from rewardloop.loop.warning import early_closing
from rewardloop.loop.whole_rankings import whole_rankings
from rewardloop.policies import load_policy
from rewardloop.policies.contract import Policy
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.policies.exposure import Exposure
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.models import ModelStore
from rewardloop.registry.records import TAKEN_IN, GoldenRequest, ModelRecord
from rewardloop.settings import ExperimentSettings

HELD_AT_ONCE = 50_000
"""A hold-out larger than this is evaluated in batches, each read twice, so that memory does not grow with its contexts."""
AUTOMATIC = ("gate", "rollout", "apprentice")
"""Reasons of deployments that are the loop's own: after any other, learning continues from what was hosted."""


class _Match(NamedTuple):
    """Two policies on the same held-out events."""

    seen: Seen
    """`candidate`, and `hosted` where something is, as they would be served."""
    hosted_id: str | None
    policies: dict[str, Policy]
    """The same, as they are."""
    forgot: bool
    """Whether the candidate forgot, because the world changed, what the hosted one still goes by."""


class Modelling:
    """Everything about the models of one experiment, over its catalog and its model store."""

    def __init__(self, settings: ExperimentSettings, catalog: Catalog, store: ModelStore, clock: Clock) -> None:
        self.settings = settings
        self.catalog = catalog
        self.store = store
        self._clock = clock

    def load(self, model_id: str) -> Policy:
        """The policy of a model, its files verified; `{experiment}.0` is the uniform policy that serves before any training."""
        if model_id == first_model_id(self.settings.experiment):
            return first_model(self.settings).policy
        _, path = self.store.open(model_id)
        return load_policy(path)

    def train_next(self, data: DataSet, on_progress: Progress = lambda _: None, parent_id: str | None = None) -> ModelRecord:
        """Train on what closed since the parent, keep the result, enter it in the catalog. Raises `Conflict` if nothing has."""
        if self.settings.mode == "logging_only":
            raise Conflict("Nothing is learned in `mode: logging_only`: set `apprentice` or `online`")
        parent = self.parent(parent_id)
        after = parent.watermark if parent else 0
        if not data.count(after=after):
            since = f"since `{parent.model_id}` was trained" if parent else "yet"
            raise Conflict(
                f"Expected events to learn from, found none closed {since}; an event closes with its reward or its window"
            )
        if self.settings.ranges is not None:
            raise Conflict("A policy over continuous actions is trained in a simulator: `rewardloop rl train`, then `rl deploy`")
        policy = self.load(parent.model_id) if parent else None
        forgotten = restarts(policy)
        trained = train(policy, data, self.settings, after=after, until=data.watermark, on_progress=on_progress)
        number = self.catalog.next_model_number(self.settings.experiment)
        record = ModelRecord(
            model_id=f"{self.settings.experiment}.{number}",
            experiment=self.settings.experiment,
            parent=parent.model_id if parent else None,
            created_at=self._clock.now(),
            watermark=data.watermark,
            dataset=data.fingerprint,
            n_trained=trained.n_trained,
            settings=self.settings,
            metrics=trained.metrics | drift_metrics(data, self.settings.training.ratio, forgotten, restarts(trained.policy)),
            golden=trained.golden,
            files={},
        )
        return self._keep(record, trained.policy)

    def parent(self, parent_id: str | None = None) -> ModelRecord | None:
        """What the next model continues: the newest model; after a deployment by hand or a roll-back, the hosted one.

        None (train from the beginning, on all history) when there is no model, or when the settings of the policy changed.
        """
        if parent_id is not None:
            return self.catalog.model(parent_id)
        newest, hosted = self.catalog.newest_model(self.settings.experiment), self.catalog.hosted(self.settings.experiment)
        if newest is not None and hosted is not None and hosted.reason not in AUTOMATIC and hosted.deployed_at >= newest.created_at:
            is_first = hosted.model_id == first_model_id(self.settings.experiment)
            newest = None if is_first else self.catalog.model(hosted.model_id)
        return newest if newest is not None and not newest.is_taken_in and _compatible(newest.settings, self.settings) else None

    def take_in(self, policy: Policy, source: str, golden: tuple[GoldenRequest, ...], metrics: dict[str, float]) -> ModelRecord:
        """Keep a policy that was trained elsewhere as the next model. It is not hosted before it is deployed."""
        number = self.catalog.next_model_number(self.settings.experiment)
        record = ModelRecord(
            model_id=f"{self.settings.experiment}.{number}",
            experiment=self.settings.experiment,
            parent=None,
            created_at=self._clock.now(),
            watermark=0,
            dataset=f"{TAKEN_IN}{source}",
            n_trained=0,
            settings=self.settings,
            metrics=metrics,
            golden=golden,
            files={},
        )
        return self._keep(record, policy)

    def rebuild(self, model_id: str, data: DataSet) -> ModelRecord:
        """Make a model again from its lineage and the log; raises `CorruptModel` if it answers otherwise than it did.

        Where its files are lost or damaged they are replaced.
        """
        record = self.catalog.model(model_id)
        if record.experiment != self.settings.experiment:
            raise UnknownModel(f"Model `{model_id}` belongs to experiment `{record.experiment}`")
        if record.is_taken_in:
            raise Conflict(f"Model `{model_id}` was not trained from the log but taken in ({record.dataset}): take it in again")
        trained = self._again(record, data)
        probe(trained.policy, record)
        if self._intact(record):
            return record
        stage = self.store.stage()
        trained.policy.save(stage)
        return self.store.commit(stage, record)

    def _again(self, record: ModelRecord, data: DataSet) -> Trained:
        parent = self.catalog.model(record.parent) if record.parent else None
        policy = self._parent_again(parent, data) if parent else None
        return train(policy, data, record.settings, after=parent.watermark if parent else 0, until=record.watermark)

    def _parent_again(self, parent: ModelRecord, data: DataSet) -> Policy:
        """Read from its files, as it was when the child was trained: some engines keep less in a file than in memory."""
        if self._intact(parent):
            return self.load(parent.model_id)
        with TemporaryDirectory() as directory:
            self._again(parent, data).policy.save(Path(directory))
            return load_policy(Path(directory))

    def _intact(self, record: ModelRecord) -> bool:
        try:
            self.store.open(record.model_id)
        except (CorruptModel, UnknownModel):
            return False
        return True

    def check_judgeable(self) -> None:
        """Raises `Conflict` where the lake does not hold what an estimate needs."""
        if self.settings.ranges is not None:
            raise Conflict(
                f"The gate does not judge continuous actions, which `{self.settings.experiment}` has: compare policies by "
                "`rewardloop rl compare`, and host one by `--force` or `rewardloop deploy`"
            )

    def judge(self, candidate: ModelRecord, data: DataSet) -> GateReport:
        """The candidate against what is hosted, on the newest held-out events, as both would be served; recorded for ever."""
        return self._judged(candidate, self._match(candidate, data, everything=False))

    def evaluate(self, candidate: ModelRecord, data: DataSet) -> GateReport:
        """`judge`, and the estimates of whole rankings beside it."""
        match = self._match(candidate, data, everything=False)
        return replace(self._judged(candidate, match), rankings=self._rankings(match, data))

    def estimate(self, model_id: str, data: DataSet) -> GateReport:
        """What any model, the uniform first one included, would earn on the newest held-out events; nothing is recorded."""
        self.check_judgeable()
        policies = {"candidate": partial(self.served, self.load(model_id))}
        seen = look(self._log(data, None), policies, self.settings.training.seed, robust=False)
        return judge(seen, self.settings.gate, self.settings.reward.range)

    def report(self, candidate: ModelRecord, data: DataSet) -> EvaluationReport:
        """`judge`, and what a reader wants to see beside the verdict."""
        match = self._match(candidate, data, everything=True)
        gate = replace(self._judged(candidate, match), rankings=self._rankings(match, data))
        subject = Subject(
            experiment=self.settings.experiment,
            candidate=candidate.model_id,
            hosted=match.hosted_id,
            dataset=data.fingerprint,
            watermark=data.watermark,
            n_events=data.n,
            n_held_out=len(match.seen) + sum(match.seen.excluded.values()),
        )
        return full_report(subject, gate, match.seen, self.settings.gate, self.settings.reward.range)

    def _match(self, candidate: ModelRecord, data: DataSet, *, everything: bool) -> _Match:
        self.check_judgeable()
        hosted = self.catalog.hosted(self.settings.experiment)
        ours = self.load(candidate.model_id)
        theirs = self.load(hosted.model_id) if hosted else None
        policies = {"candidate": ours, "hosted": theirs} if theirs else {"candidate": ours}
        known = n_evidence(ours, self.settings.training.ratio)
        served = {name: partial(self.served, policy) for name, policy in policies.items()}
        seen = look(self._log(data, known), served, self.settings.training.seed, robust=everything)
        return _Match(seen, hosted.model_id if hosted else None, policies, restarts(ours) > restarts(theirs))

    def _rankings(self, match: _Match, data: DataSet) -> RankedReport | None:
        """Of the newest held-out events that can be held at once."""
        known = n_evidence(match.policies["candidate"], self.settings.training.ratio)
        newest = min(self.settings.gate.max_events, known or HELD_AT_ONCE, HELD_AT_ONCE)
        events = Interactions.concatenated(list(self._held_out(data, HELD_AT_ONCE, newest)))
        return whole_rankings(self.settings, data, events, match.policies, self.served)

    def _judged(self, candidate: ModelRecord, match: _Match) -> GateReport:
        report = judge(match.seen, self.settings.gate, self.settings.reward.range)
        report = excused(report) if match.forgot else report
        self.catalog.record_evaluation(
            self.settings.experiment,
            candidate.model_id,
            match.hosted_id,
            self._clock.now(),
            report.verdict,
            report.to_json(),
        )
        return report

    def _log(self, data: DataSet, known: int | None) -> Log:
        """The newest events that no model was trained on, read anew each time; kept where they are one batch."""
        newest = min(self.settings.gate.max_events, known or self.settings.gate.max_events)
        first = list(islice(self._held_out(data, HELD_AT_ONCE, newest), 2))
        return partial(iter, first) if len(first) < 2 else partial(self._held_out, data, HELD_AT_ONCE, newest)

    def _held_out(self, data: DataSet, batch: int, newest: int) -> Iterator[Interactions]:
        """Where silence means the default, only events whose window is over: of the younger ones only the rewarded have closed."""
        ratio, reward = self.settings.training.ratio, self.settings.reward
        ripe = data.watermark - reward.window if early_closing(data.ledger, reward) else None
        logged = data.interactions(
            after=0,
            until=data.watermark,
            split="eval",
            ratio=ratio,
            newest=newest,
            decided_by=ripe,
            metrics=[rail.metric for rail in self.settings.gate.guardrails],
            batch=batch,
        )
        return (each for each in map(decided_by_models, logged) if len(each))

    def served(self, policy: Policy, interactions: Interactions) -> Floats:
        """(Σ K_i,) the distribution that would have been served: the policy's, with the platform's floor."""
        if not len(interactions):
            return np.empty(0)
        raw = policy.pmf_many(interactions.contexts, interactions.actions)
        exposure = Exposure.of(self.settings)
        limits = None
        if exposure is not None:
            offered = zip(interactions.actions, interactions.closed_at.tolist(), strict=True)
            limits = [exposure.limits(actions.ids, at) for actions, at in offered]
        return serve_pmf_many(raw, interactions.offsets, self.settings.policy.floor, limits=limits)

    def _keep(self, record: ModelRecord, policy: Policy) -> ModelRecord:
        stage = self.store.stage()
        policy.save(stage)
        kept = self.store.commit(stage, record)
        self.catalog.add_model(kept)
        return kept


def _compatible(theirs: ExperimentSettings, ours: ExperimentSettings) -> bool:
    return (theirs.policy, theirs.actions, theirs.reward.range) == (ours.policy, ours.actions, ours.reward.range)
