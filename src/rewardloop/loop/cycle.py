"""One turn of the loop: collect, join, train, evaluate, gate, deploy. Every step finds out what is left to do from what is stored.

So a process killed between any two steps is simply started again: a model that was trained but not judged is judged, one that
passed but was not hosted is hosted, and nothing is trained twice, because a model says up to where it has learned.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rewardloop.clock import Clock
from rewardloop.deciding.hosted import first_model_id
from rewardloop.evaluation import GateReport
from rewardloop.lake import DataSet, Lake
from rewardloop.log import LogReader
from rewardloop.loop.apprentice import IMITATING, READY, MatchReport, judge_apprentice
from rewardloop.loop.collecting import collect, log_position
from rewardloop.loop.deploying import Deploying
from rewardloop.loop.drifting import drift_told
from rewardloop.loop.early_closing import early_closing
from rewardloop.loop.judging import Judging
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.trials.rollouts import Rollouts
from rewardloop.registry.records import ModelRecord, RolloutStep


class CycleReport(msgspec.Struct, frozen=True):
    """What one turn did."""

    experiment: str
    model_id: str
    watermark: int
    n_trained: int
    n_events: int
    """Closed events in the data set."""
    mean_reward: float
    """Of the events this model was trained on."""
    verdict: str
    summary: str
    deployed: bool
    warning: str
    """What bends these numbers; empty where nothing does."""
    on_trial: bool = False
    """It passed, and is tried before it is hosted."""
    drift: str = ""
    """What says that the world has changed; empty where nothing does."""


class Cycle:
    """The loop of one experiment, a turn at a time. The caller holds the experiment's trainer lock."""

    def __init__(  # noqa: PLR0917 - the parts of a turn in their order
        self,
        reader: LogReader,
        lake: Lake,
        modelling: Modelling,
        judging: Judging,
        deploying: Deploying,
        rollouts: Rollouts,
        clock: Clock,
    ) -> None:
        self._modelling = modelling
        self._judging = judging
        self._deploying = deploying
        self._rollouts = rollouts
        self._reader = reader
        self._lake = lake
        self._clock = clock
        self._experiment = modelling.settings.experiment
        self._began_at = clock.now()

    def join(self) -> DataSet:
        """Everything committed until now, joined."""
        return self._lake.join(collect(self._reader, self._lake, self._clock))

    def ripe(self, since: int) -> bool:
        """Whether a join is worth its cost: enough records are unread, or `every` has passed since the last one."""
        training = self._modelling.settings.training
        if self._clock.now() - since >= training.every:
            return True
        return self._reader.lag(log_position(self._lake)) >= max(training.every_events, 1)

    def due(self, data: DataSet, now: int) -> bool:
        """True when enough events have closed since the last training, or enough time has passed and at least one has."""
        settings = self._modelling.settings
        if settings.mode == "logging_only" or settings.ranges is not None:  # Policies over a box are trained in a simulator.
            return False
        training = self._modelling.settings.training
        newest = self._modelling.catalog.newest_model(self._experiment)
        fresh = data.count(after=newest.watermark if newest else 0)
        since = newest.created_at if newest else self._began_at
        return fresh >= max(training.every_events, 1) or (fresh > 0 and now - since >= training.every)

    def turn(self, data: DataSet, on_progress: Callable[[int], None] = lambda _: None) -> CycleReport:
        """Train the next model on a joined data set, and finish it."""
        return self._finish(self._modelling.train_next(data, on_progress), data)

    def resume(self, data: DataSet) -> CycleReport | RolloutStep | None:
        """Finish what an earlier process left: the newest model, trained but not judged, or passed but not hosted.

        The trial that begins with it, where one does: it had to wait for another to end.
        """
        self._rollouts.reconcile()
        self._deploying.reconcile()
        newest = self._modelling.catalog.newest_model(self._experiment)
        if newest is None:
            return None
        judged = [e for e in self._modelling.catalog.evaluations(self._experiment) if e.candidate == newest.model_id]
        if not judged:
            return self._finish(newest, data)
        deployed = any(d.model_id == newest.model_id for d in self._modelling.catalog.deployments(self._experiment))
        if judged[-1].verdict == "promote" and not deployed:
            return self._bring(newest.model_id)
        if judged[-1].verdict in {READY, IMITATING} and not deployed:
            self._deploying.deploy(newest.model_id, "apprentice")
        return None

    def watch(self) -> RolloutStep | None:
        """A look at what serving counts of a challenger: the roll-back, if that was one."""
        return self._rollouts.watch()

    def advance(self, data: DataSet) -> RolloutStep | None:
        """A look at the challenger on trial: what became of it, if anything."""
        return self._rollouts.advance(data)

    def _bring(self, model_id: str) -> RolloutStep | None:
        """Into service, or on trial: then its first step. Not while another is on trial, and never what was on trial before."""
        mode = self._modelling.settings.rollout.mode
        current = self._rollouts.current()
        if (current is not None and current.kind != "hold back") or self._rollouts.tried(model_id):
            return None
        if mode == "direct":
            hosted = self._modelling.catalog.hosted(self._experiment)
            self._deploying.deploy(model_id, "gate")
            self._rollouts.hold_back(hosted.model_id if hosted else first_model_id(self._experiment))
            return None
        return self._rollouts.begin(mode, model_id, "loop")

    def _finish(self, model: ModelRecord, data: DataSet) -> CycleReport:
        if self._modelling.settings.mode == "apprentice":
            matched = judge_apprentice(self._modelling, model, data, self._clock.now())
            self._deploying.deploy(model.model_id, "apprentice")
            return self._report(model, data, matched)
        report = self._judging.judge(model, data)
        if report.passed:
            self._bring(model.model_id)
        return self._report(model, data, report)

    def _is_hosted(self, model: ModelRecord) -> bool:
        hosted = self._modelling.catalog.hosted(self._experiment)
        return hosted is not None and hosted.model_id == model.model_id

    def _is_on_trial(self, model: ModelRecord) -> bool:
        step = self._rollouts.current()
        return step is not None and step.challenger == model.model_id

    def _report(self, model: ModelRecord, data: DataSet, report: GateReport | MatchReport) -> CycleReport:
        return CycleReport(
            self._experiment,
            model.model_id,
            model.watermark,
            model.n_trained,
            data.n,
            model.metrics.get("mean_reward", float("nan")),
            report.verdict,
            report.summary,
            self._is_hosted(model),
            early_closing(data.ledger, self._modelling.settings.reward),
            self._is_on_trial(model),
            drift_told(model.metrics),
        )
