"""What a model is worth before it serves: judged on held-out events against the hosted one, each as it would be served.

The estimators and the gate are in `evaluation`; here is which events they see, through whose eyes, and what is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as replaced
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from rewardloop.actions import ActionSet, Ranges
from rewardloop.clock import Clock
from rewardloop.deciding.boxes import spreads
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import EvaluationReport, GateReport, Log, RankedReport, Seen, Serve, Subject, full_report, judge, look
from rewardloop.evaluation.boxes import UNREAD, look_at_box
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet
from rewardloop.learning.imitation import decided_by_models
from rewardloop.loop.drifting import excused, n_evidence, restarts
from rewardloop.loop.early_closing import early_closing
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.served import Wholes, served
from rewardloop.loop.whole_rankings import whole_rankings
from rewardloop.policies.contract import Policy
from rewardloop.registry.records import ModelRecord
from rewardloop.settings import ExperimentSettings

HELD_AT_ONCE = 50_000
"""A hold-out larger than this is evaluated in batches, each read twice, so that memory does not grow with its contexts."""
OFFERED_AT_ONCE = 200_000
"""The same, of the actions that it offered."""


class _Match(NamedTuple):
    """Two policies on the same held-out events."""

    seen: Seen
    """`candidate`, and `hosted` where something is, as they would be served."""
    hosted_id: str | None
    policies: dict[str, Policy]
    """The same, as they are."""
    forgot: bool
    """Whether the candidate forgot, because the world changed, what the hosted one still goes by."""
    serving: bool
    """Whether the candidate is hosted, and the other is what was before it."""


class Judging:
    """Judges the models of one experiment."""

    def __init__(self, modelling: Modelling, clock: Clock) -> None:
        self._modelling = modelling
        self._settings = modelling.settings
        self._catalog = modelling.catalog
        self._clock = clock

    def judge(self, candidate: ModelRecord, data: DataSet) -> GateReport:
        """The candidate against what is hosted, on the newest held-out events, as both would be served; recorded for ever."""
        return self._judged(candidate, self._match(candidate, data, everything=False))

    def evaluate(self, candidate: ModelRecord, data: DataSet) -> GateReport:
        """`judge`, and the estimates of whole rankings beside it. What is hosted already is compared with what was before it."""
        match = self._match(candidate, data, everything=False, before=True)
        return replace(self._judged(candidate, match), rankings=self._rankings(match, data))

    def estimate(self, model_id: str, data: DataSet) -> GateReport:
        """What any model, the uniform first one included, would earn on the newest held-out events; nothing is recorded."""
        models = {"candidate": (model_id, self._modelling.load(model_id))}
        seen = seen_by(self._settings, models, self._log(data, None), data.wholes)
        return judge(seen, self._settings.gate, self._settings.reward.range)

    def report(self, candidate: ModelRecord, data: DataSet) -> EvaluationReport:
        """`evaluate`, and what a reader wants to see beside the verdict."""
        match = self._match(candidate, data, everything=True, before=True)
        gate = replace(self._judged(candidate, match), rankings=self._rankings(match, data))
        subject = Subject(
            experiment=self._settings.experiment,
            candidate=candidate.model_id,
            hosted=match.hosted_id,
            dataset=data.fingerprint,
            watermark=data.watermark,
            n_events=data.n,
            n_held_out=len(match.seen) + sum(match.seen.excluded.values()),
        )
        return full_report(subject, gate, match.seen, self._settings.gate, self._settings.reward.range)

    def _match(self, candidate: ModelRecord, data: DataSet, *, everything: bool, before: bool = False) -> _Match:
        other = self._hosted()
        serving = before and other == candidate.model_id
        if serving:
            other = self._catalog.previous_hosted(self._settings.experiment)
        ours = self._modelling.load(candidate.model_id)
        theirs = self._modelling.load(other) if other else None
        policies = {"candidate": ours, "hosted": theirs} if theirs else {"candidate": ours}
        known = n_evidence(ours, self._settings.training.ratio)
        ids = {"candidate": candidate.model_id, "hosted": other or ""}
        models = {name: (ids[name], policy) for name, policy in policies.items()}
        seen = seen_by(self._settings, models, self._log(data, known), data.wholes, robust=everything)
        return _Match(seen, other, policies, restarts(ours) > restarts(theirs), serving)

    def _hosted(self) -> str | None:
        hosted = self._catalog.hosted(self._settings.experiment)
        return hosted.model_id if hosted else None

    def _rankings(self, match: _Match, data: DataSet) -> RankedReport | None:
        """Of the newest held-out events that can be held at once; None where no decision has several slots."""
        if not data.has_wholes:
            return None
        known = n_evidence(match.policies["candidate"], self._settings.training.ratio)
        newest = min(self._settings.gate.max_events, known or HELD_AT_ONCE, HELD_AT_ONCE)
        events = Interactions.concatenated(list(self._held_out(data, HELD_AT_ONCE, newest)))
        return whole_rankings(self._settings, data.wholes, events, match.policies)

    def _judged(self, candidate: ModelRecord, match: _Match) -> GateReport:
        report = judge(match.seen, self._settings.gate, self._settings.reward.range, serving=match.serving)
        report = excused(report) if match.forgot else report
        if self._catalog.writable:
            self._catalog.record_evaluation(
                self._settings.experiment,
                candidate.model_id,
                match.hosted_id,
                self._clock.now(),
                report.verdict,
                report.to_json(),
            )
        return report

    def _log(self, data: DataSet, known: int | None) -> Log:
        """The newest events that no model was trained on, read anew each time; kept where they are one batch."""
        newest = min(self._settings.gate.max_events, known or self._settings.gate.max_events)
        return kept_if_small(partial(self._held_out, data, HELD_AT_ONCE, newest))

    def _held_out(self, data: DataSet, batch: int, newest: int) -> Iterator[Interactions]:
        """Where silence means the default, only events whose window is over: of the younger ones only the rewarded have closed."""
        ratio, reward = self._settings.training.ratio, self._settings.reward
        ripe = data.watermark - reward.window if early_closing(data.ledger, reward) else None
        logged = data.interactions(
            after=0,
            until=data.watermark,
            split="eval",
            ratio=ratio,
            newest=newest,
            decided_by=ripe,
            metrics=[rail.metric for rail in self._settings.gate.guardrails],
            batch=batch,
            offers=OFFERED_AT_ONCE,
        )
        return (each for each in map(decided_by_models, logged) if len(each))


def kept_if_small(log: Log) -> Log:
    """The same log, read once where it is one batch."""
    first = list(islice(log(), 2))
    return partial(iter, first) if len(first) < 2 else log


def seen_by(
    settings: ExperimentSettings, models: Mapping[str, tuple[str, Policy]], log: Log, wholes: Wholes, *, robust: bool = False
) -> Seen:
    """Some events through the eyes of models (id and policy by name), each as it would be served."""
    if settings.ranges is None:
        policies = {name: policy for name, (_, policy) in models.items()}
        as_served = {name: partial(served, settings, wholes, policy) for name, policy in policies.items()}
        return _seen_over_arms(as_served, policies, log, settings.training.seed, robust)
    box, floor = Ranges(*settings.ranges), settings.policy.floor
    drawing = {name: partial(spreads, *model, box, floor) for name, model in models.items()}
    return look_at_box(log, drawing, box, settings.training.seed)


def _seen_over_arms(as_served: Mapping[str, Serve], policies: Mapping[str, Policy], log: Log, seed: int, robust: bool) -> Seen:
    """Where a context lacks what a policy needs, the event is left out and counted; only then is every event tried by itself."""
    try:
        return look(log, as_served, seed, robust=robust)
    except InvalidInput:
        readable = _Readable(log, list(policies.values()))
        seen = look(readable, as_served, seed, robust=robust)
        return replaced(seen, excluded={**seen.excluded, **({UNREAD: readable.n_unread} if readable.n_unread else {})})


class _Readable:
    """A log without the events that some policy refuses."""

    def __init__(self, log: Log, policies: Sequence[Policy]) -> None:
        self._log = log
        self._policies = policies
        self.n_unread = 0

    def __call__(self) -> Iterator[Interactions]:
        self.n_unread = 0
        for batch in self._log():
            kept = np.array([self._reads(*pair) for pair in zip(batch.contexts, batch.actions, strict=True)], bool)
            self.n_unread += int((~kept).sum())
            if kept.any():
                yield batch.take(kept)

    def _reads(self, context: Features, actions: ActionSet) -> bool:
        try:
            for policy in self._policies:
                policy.pmf(context, actions)
        except InvalidInput:
            return False
        return True
