"""The whole loop in one process: the same log, lake, registry and decisions as over HTTP, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import sleep
from types import MappingProxyType
from typing import NamedTuple, Self

import msgspec

from rewardloop.clock import SECOND, Clock, SystemClock
from rewardloop.deciding.asking import DecideRequest, checked_sticky, checked_top_k, slot_requests
from rewardloop.deciding.hosted import Hosted, first_model_id
from rewardloop.deciding.rewarding import RewardRequest
from rewardloop.errors import Conflict, DirectoryInUse, UnknownEvent, UnknownModel
from rewardloop.evaluation import By, DecisionReport, EvaluationReport, GateReport, PolicyReport
from rewardloop.evaluation.diagnostics import Diagnosis, diagnose
from rewardloop.evaluation.two_sample import ABTest
from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.exchange import ExportReport, ImportReport, export_file, format_of, import_file
from rewardloop.ids import EventIds
from rewardloop.lake import DataSet, Ledger
from rewardloop.lake.observed import NEWEST, observe
from rewardloop.learning.training import Progress
from rewardloop.log import Cursor, find
from rewardloop.loop.auditing import Audit, audit
from rewardloop.loop.collecting import log_position
from rewardloop.loop.cycle import CycleReport
from rewardloop.loop.erasing import Outcome, Wanted
from rewardloop.loop.explaining import EVENTS, explain_decision, explain_policy
from rewardloop.loop.hosting import load_model
from rewardloop.loop.online import Online
from rewardloop.loop.opened import Opened
from rewardloop.loop.running import run
from rewardloop.loop.scoring import ScoreReport, score
from rewardloop.loop.tailing import newest
from rewardloop.loop.tidying import tidy
from rewardloop.policies.contract import Policy
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.records import Deployment, GoldenRequest, ModelRecord, RolloutStep
from rewardloop.settings import ExperimentSettings, load_settings
from rewardloop.slots import apart

DEFAULT_DATA = "rewardloop-data"
ERASE_SECONDS = 10
"""How long an erasure waits for a server's workers to begin another file of the log."""
NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


class TakenIn(NamedTuple):
    """What became of a policy that was trained elsewhere."""

    model: ModelRecord
    report: GateReport | None
    """What the gate said; None where it was not asked."""
    deployment: Deployment | None
    """None where the gate said no."""


class Experiment(Opened):
    """One experiment, opened on a data directory: everything the HTTP API and the commands do, without a server.

    Any number of processes may decide and reward at once. Steps of the loop (`join`, `train`, `evaluate`, `turn`, `run` …)
    take a lock that one process holds at a time; a second one gets `DirectoryInUse`.

    >>> import tempfile
    >>> from rewardloop.settings import ExperimentSettings
    >>> with tempfile.TemporaryDirectory() as data, Experiment.open(
    ...     ExperimentSettings(experiment="offers", actions=("red", "green")), data
    ... ) as offers:
    ...     decision = offers.decide({"age": 31})
    ...     _ = offers.reward(decision.event_id, 1.0)
    ...     offers.join().n
    1
    """

    @classmethod
    def open(
        cls,
        config: ExperimentSettings | Path | str,
        data: Path | str = DEFAULT_DATA,
        *,
        clock: Clock | None = None,
    ) -> Self:
        """Open an experiment; close it again with `close`, or use it in a `with` block.

        `config` is its settings, the path of its YAML file (ending in .yaml or .yml), or the name of an experiment that the
        directory `data` knows already. The directory is made where there is none. Raises `InvalidSettings` for a file that is
        wrong, `UnknownExperiment` for a name that is not known, and `Conflict` where the settings would change what the log
        already holds, such as its actions.
        """
        data = Path(data)
        if isinstance(config, ExperimentSettings):
            settings = config
        elif Path(config).suffix in {".yaml", ".yml"}:
            settings = load_settings(Path(config)).settings
        else:
            with Catalog(data) as catalog:
                settings = catalog.experiment(str(config)).settings
        return cls(settings, data, clock or SystemClock())

    # Deciding and rewarding: any number of processes at once.

    def decide(
        self,
        context: Mapping[str, object],
        actions: Sequence[object] | Mapping[str, float] | None = None,
        *,
        event_id: str | None = None,
        explore: bool = True,
        excluded: Sequence[str] = (),
        deferred: bool = False,
        top_k: int | None = None,
        slots: Sequence[Mapping[str, object]] = (),
        sticky: str | None = None,
    ) -> Decision:
        """Choose an action; the decision is durable when this returns.

        - `actions`: what is on offer, as ids or as `{"id": …, "features": {…}}`. Needed where the experiment has no fixed
          actions; where it has, they narrow the choice. Of a continuous action: `{"low": …, "high": …}`, between which it must lie.
        - `event_id`: your own id, of up to 256 characters. By default one is made. The same id gets the same random draw.
        - `explore`: False takes the most probable action. `excluded`: ids that must not be chosen.
        - `deferred`: the decision counts only once `activate` was called, for what may never be shown to anybody.
        - `top_k`: a ranking of so many. `slots`: an action for each of several places, each as
          `{"id": …, "features": {…}, "excluded": […], "actions": […]}`; `rewardloop.slots.shown` reads the answer of both.
        - `sticky`: such as the id of a user, all of whose decisions then meet the same variant of a trial.

        Raises `InvalidInput`, naming the place, and then logs nothing.
        """
        request = DecideRequest(
            context=msgspec.Raw(msgspec.json.encode(context)),
            actions=msgspec.UNSET if actions is None else msgspec.Raw(msgspec.json.encode(actions)),
            event_id=event_id,
            explore=explore,
            excluded=list(excluded),
            deferred=deferred,
            top_k=checked_top_k(top_k),
            slots=slot_requests(slots),
            sticky=checked_sticky(sticky),
        )
        decision, _ = self._decider.decide(self._following.current(), request)
        self._writer.commit([decision])
        return decision

    def decide_many(self, contexts: Iterable[Mapping[str, object]], actions: Sequence[object] | None = None) -> list[Decision]:
        """Choose an action for each context; all decisions are made durable together. `actions` are on offer in each of them.

        Raises `InvalidInput` if any of the contexts is wrong, and then decides none.
        """
        requests = [DecideRequest(context=msgspec.Raw(msgspec.json.encode(context))) for context in contexts]
        offered = msgspec.UNSET if actions is None else msgspec.Raw(msgspec.json.encode(actions))
        decisions = [decision for decision, _ in self._decider.decide_many(self._following.current(), requests, offered)]
        self._writer.commit(decisions)
        return decisions

    def reward(
        self,
        event_id: str,
        reward: float,
        *,
        reward_id: str = "",
        final: bool = False,
        slot: str = "",
        metrics: Mapping[str, float] = NO_NUMBERS,
    ) -> Reward:
        """Record what a decision was worth, now or days later; the reward is durable when this returns.

        - `reward`: finite, and the higher the better; within `reward.range` where the settings declare one.
        - `reward_id`: of several rewards of one event with the same id, the first counts. Without an id, every one counts.
        - `final`: closes the event, so that no later reward counts.
        - `slot`: the one it is for; by default it is for the whole event, that is, for each of its slots.
        - `metrics`: up to eight further numbers, such as `{"cost": 1.2}`, for guardrails; nothing is learned from them.

        An event that is not (yet) known is no error: the join counts its rewards as waiting, later as orphans. Raises
        `InvalidInput`.
        """
        request = RewardRequest(
            event_id=event_id,
            reward=reward,
            reward_id=reward_id,
            final=final,
            experiment=self.settings.experiment,
            slot=slot,
            metrics=dict(metrics),
        )
        record = self._rewarder.reward(request)
        self._writer.commit([record])
        return record

    def made_here(self, event_id: str) -> bool:
        """Whether this experiment made the event id, rather than a client or another experiment."""
        return self._rewarder.made_here(event_id)

    def serving(self) -> str:
        """The id of the model that this process decides with now. It follows a deployment within 20 ms."""
        return self._following.current().model_id

    def activate(self, event_id: str) -> Activation:
        """Let a deferred decision count, because it was shown after all; durable when this returns."""
        record = self._rewarder.activation(event_id, self.settings.experiment)
        self._writer.commit([record])
        return record

    # The loop: one process at a time; a second one gets `DirectoryInUse`.

    def warm_start(self, path: Path | str) -> ImportReport:
        """Take in the log of an existing system as closed events, to train and to evaluate on.

        A file of CSV, JSON lines, Parquet or dsjson. Rows that cannot be understood are left out and counted by reason in the
        report; the same file a second time adds nothing.
        """
        with self.trainer():
            return import_file(self._lake, Path(path), self.settings.cells or self.settings.action_ids, self.clock.now())

    def erase(self, wanted: Wanted) -> Outcome:
        """Forget events for good, in lake, log and joined copies, and say which models may have learned from them.

        From when this is called it will be done, whatever happens; where another process runs the loop, by that one: then this
        raises `DirectoryInUse`. A log that a server is writing is rewritten once its workers have begun another file, in seconds.
        """
        name = self.erasing.ask(wanted)
        with self.trainer():
            return self._erase(name)

    def join(self) -> DataSet:
        """Match every decision committed until now with its rewards. The data set holds the events that are closed."""
        with self.trainer():
            return self._cycle.join()

    def train(self, parent: str | None = None, on_progress: Progress = lambda _: None) -> ModelRecord:
        """Make the next model; it is not hosted by this.

        It goes on from the model `parent`, by default the newest one (after a roll-back, or a deployment by hand, the hosted
        one), and learns from the events that closed since that one was trained. Where there is none, or where the settings of
        the policy changed, it learns from all history. Raises `Conflict` where nothing closed since.
        """
        with self.trainer():
            return self.modelling.train_next(self._cycle.join(), on_progress, parent)

    def take_in(
        self, policy: Policy, source: str, golden: tuple[GoldenRequest, ...], metrics: dict[str, float], *, force: bool = False
    ) -> TakenIn:
        """Keep a policy that was trained elsewhere, and host it where nothing is hosted yet, where the gate agrees, or by `force`.

        `source` says where it is from. `golden` are requests with the distributions it must answer them with, asked again
        before it is ever served.
        """
        with self.trainer():
            asked = not force and self.catalog.hosted(self.settings.experiment) is not None
            record = self.modelling.take_in(policy, source, golden, metrics)
            if not asked:
                return TakenIn(record, None, self.deploying.deploy(record.model_id, "manual" if force else "first"))
            report = self.judging.judge(record, self._cycle.join())
            return TakenIn(record, report, self.deploying.deploy(record.model_id, "gate") if report.passed else None)

    def rebuild(self, model_id: str) -> ModelRecord:
        """Train a model again from its lineage and the log, and check that it answers as it did.

        Files that were lost or damaged are replaced. Raises `CorruptModel` where it answers otherwise.
        """
        with self.trainer():
            return self.modelling.rebuild(model_id, self._cycle.join())

    def evaluate(self, model_id: str | None = None) -> GateReport:
        """Estimate what a model (by default the newest) would earn, against the hosted one, on held-out events.

        What is hosted already is compared with what was hosted before it, or with what was logged.

        The report has the gate's verdict; it is entered in the catalog, and hosts nothing.
        """
        candidate = self.catalog.model(model_id) if model_id else self._newest()
        return self.judging.evaluate(candidate, self.newest_data())

    def doctor(self, events: int = NEWEST) -> Diagnosis:
        """Check the log, as of its last join and on its newest `events`: what is wrong, what it would bias, what to do.

        Changes nothing.
        """
        log = observe(self.directory.lake, events)
        return diagnose(replace(log, reward_range=self.settings.reward.range, train_ratio=self.settings.training.ratio))

    def report(self, model_id: str | None = None) -> EvaluationReport:
        """Like `evaluate`, with all that a reader may ask beside the verdict: every estimator, weights, support, curves over n."""
        candidate = self.catalog.model(model_id) if model_id else self._newest()
        return self.judging.report(candidate, self.newest_data())

    def turn(self) -> CycleReport:
        """Take one turn of the loop: join, train, evaluate, and deploy if the gate agrees. Raises `Conflict` as `train` does."""
        with self.trainer():
            return self._cycle.turn(self._cycle.join())

    def deploy(self, model_id: str) -> Deployment:
        """Host a model, whatever the gate said of it. Raises `CorruptModel` where it does not answer as it did when trained."""
        return self.deploying.deploy(model_id, "manual")

    def shadow(self, model_id: str) -> RolloutStep:
        """Try a model without serving it: it scores what the hosted one decides. Raises `Conflict` where another is on trial."""
        return self.rollouts.begin("shadow", model_id, "hand")

    def canary(self, model_id: str, share: float | None = None, sticky: str | None = None) -> RolloutStep:
        """Let a model make a `share` of the decisions (by default `rollout.share`). The loop takes it back where it does harm.

        `sticky` names a feature of the context, such as `user.id`: one value of it always meets the same model.
        """
        return self.rollouts.begin("canary", model_id, "hand", share, sticky)

    def ramp(self, model_id: str, sticky: str | None = None) -> RolloutStep:
        """Let a model make a growing share of the decisions, by `rollout.steps`, up to promotion, as long as it does no harm."""
        return self.rollouts.begin("ramp", model_id, "hand", None, sticky)

    def ab_test(self, b: str, a: str | None = None, share: float | None = None, sticky: str | None = None) -> RolloutStep:
        """Begin an A/B test of model `b`, by default on half of the decisions, against `a`, which is hosted for it if it is not.

        The same model twice makes an A/A test; `{experiment}.0` is the uniform policy. `promote` or `abort` ends it.
        """
        hosted = self.catalog.hosted(self.settings.experiment)
        if (trial := self.rollouts.current()) is not None:
            raise Conflict(f"`{trial.challenger}` is on trial already ({trial.kind}): promote it or abort it first")
        if a is not None and a != (hosted.model_id if hosted else first_model_id(self.settings.experiment)):
            self.deploying.deploy(a, "A of an A/B test")
        return self.rollouts.begin("ab", b, "hand", share, sticky)

    def ab_report(self) -> ABTest:
        """How the newest A/B test stands now. Raises `Conflict` where there was none."""
        return self.rollouts.ab_test(self.newest_data())

    def newest_data(self) -> DataSet:
        """Joined up to now; where a loop is running, or the directory cannot be written, as of the last join."""
        if not self.catalog.writable:
            return self._lake.dataset()
        try:
            with self.trainer():
                return self._cycle.join()
        except DirectoryInUse:
            return self._lake.dataset()

    def promote(self) -> RolloutStep:
        """Host the model that is on trial, which ends the trial. Raises `Conflict` where none is."""
        return self.rollouts.promote()

    def abort(self) -> RolloutStep:
        """End the trial and go on with the hosted model alone. Raises `Conflict` where none is on trial."""
        return self.rollouts.abort()

    def roll_back(self) -> Deployment:
        """Host what was hosted before; called again, one further back. Raises `Conflict` at the beginning of the history."""
        return self.deploying.roll_back()

    def run(
        self,
        stop: Event | None = None,
        *,
        max_cycles: int | None = None,
        on_cycle: Callable[[CycleReport], None] = lambda _: None,
        on_rest: Callable[[], None] = lambda: None,
        on_step: Callable[[RolloutStep], None] = lambda _: None,
    ) -> int:
        """Take a turn whenever one is due, until `stop` is set or `max_cycles` are done; returns how many were.

        `on_cycle` hears of each turn, `on_step` of what became of a model on trial, and `on_rest` is called whenever nothing is
        due. For `training.mode: online` use the command `rewardloop run`, which keeps a learner process beside it.
        """
        with self.trainer():
            self._tidy()
            tidying = self._tidying(on_cycle)
            resting = self._resting(on_rest)
            return run(self._cycle, self.clock, stop or Event(), tidying, resting, on_step=on_step, max_cycles=max_cycles)

    def tidy(self) -> None:
        """Delete what `log.retention` no longer covers: log segments that the lake has, and models that are not hosted."""
        with self.trainer():
            self._tidy()

    def online(self) -> Online:
        """An online learner that starts from the hosted model and all that closed since. It reads the lake and needs no lock."""
        online = Online(self.modelling, self.deploying, self._reader, self.clock)
        while True:
            position, data = log_position(self._lake), self._lake.dataset()
            if position == log_position(self._lake):  # The loop beside us may append between two looks.
                online.start(data, position)
                return online

    # Reading.

    def is_outdated(self) -> bool:
        """Whether the settings were changed since this was opened; opened again by name, it has the new ones."""
        return self.catalog.experiment(self.settings.experiment).settings != self.settings

    def audit(self, event_id: str) -> Audit:
        """What was logged of an event, and whether its decision can be reproduced. Raises `UnknownEvent`."""
        records, decision = self._find(event_id)
        steps = self.catalog.rollouts(self.settings.experiment)
        return audit(records, decision, self._model(decision.model_id), steps)

    def score(
        self, source: Path, out: Path, model_id: str | None = None, on_progress: Callable[[int], None] = lambda _: None
    ) -> ScoreReport:
        """Write what a model, by default the hosted one, would answer to every row of the file `source` to the file `out`.

        Both are JSON lines, CSV or Parquet. Nothing is logged. Rows that cannot be scored are left out and named in the report.
        """
        self._check_arms("scored")
        hosted = self.catalog.hosted(self.settings.experiment)
        default = hosted.model_id if hosted else first_model_id(self.settings.experiment)
        return score(self._model(model_id or default), self.settings.action_ids, source, out, on_progress)

    def explain(
        self,
        model_id: str | None = None,
        *,
        events: int = EVENTS,
        by: By = "group",
        after: int = -1,
        until: int | None = None,
    ) -> PolicyReport:
        """What each feature is worth to a model: the mean reward it would lose without it, with an interval.

        The model is by default the hosted one, else the newest. It is asked on the newest held-out `events` that closed after
        `after` and not after `until` (microseconds UTC).
        """
        self._check_arms("explained")
        hosted = self.catalog.hosted(self.settings.experiment)
        model = self._model(model_id or (hosted.model_id if hosted else self._newest().model_id))
        return explain_policy(self.settings, model, self._lake.dataset(), events=events, by=by, after=after, until=until)

    def explain_event(self, event_id: str) -> DecisionReport:
        """Why a logged decision was made: what each feature did to the probability of its action. Raises `UnknownEvent`.

        Of several slots, the first is explained.
        """
        self._check_arms("explained")
        _, decision = self._find(event_id)
        decision = next(iter(apart(decision)), decision)
        return explain_decision(self.settings, self._model(decision.model_id), decision, self._lake.dataset())

    def newest(self, n: int) -> tuple[list[Record], Cursor]:
        """The last n records of the log, and where it goes on."""
        return newest(self._reader, n)

    def read_log(self, cursor: Cursor) -> tuple[list[Record], Cursor]:
        """What was recorded after a cursor, up to a bound, and the cursor after that."""
        return self._reader.read(cursor)

    def export(
        self, path: Path | str, form: str | None = None, *, on_progress: Callable[[int], None] = lambda _: None
    ) -> ExportReport:
        """Write every event that was closed at the last join to a file, in the format `form`; by default what its ending says."""
        return export_file(self._lake.dataset(), Path(path), format_of(Path(path), form), on_progress)

    def ledger(self) -> Ledger:
        """The account of every decision and reward up to the last join: counted, late, duplicate, waiting and so on."""
        return self._lake.ledger

    def unread(self) -> int:
        """How many records are in the log that the next join has yet to take in."""
        return self._reader.lag(log_position(self._lake))

    def _tidying(self, on_cycle: Callable[[CycleReport], None]) -> Callable[[CycleReport], None]:
        def after(report: CycleReport) -> None:
            on_cycle(report)
            self._tidy()

        return after

    def _resting(self, on_rest: Callable[[], None]) -> Callable[[], None]:
        """Carries out what was asked of another process; what waits for a server's log, every few seconds."""
        tried_at = -ERASE_SECONDS * SECOND

        def rest() -> None:
            nonlocal tried_at
            if self.erasing.asked() and self.clock.now() - tried_at >= ERASE_SECONDS * SECOND:
                self._finish_erasures()
                tried_at = self.clock.now()
            on_rest()

        return rest

    def _erase(self, name: str) -> Outcome:
        """Waits a few seconds for the workers of a server to turn over."""
        outcome = self._finish_erasures()[name]
        for _ in range(ERASE_SECONDS):
            if outcome.done or any(each.endswith(".corrupt") for each in outcome.left):
                break
            sleep(1)
            outcome = self._finish_erasures()[name]
        return outcome

    def _finish_erasures(self) -> dict[str, Outcome]:
        """As far as it goes. Only a file of the log that is whole can be written anew, this process's own too."""
        if "_writer" in self.__dict__ and self.erasing.asked():
            self._writer.turn()
        return self.erasing.finish(self._cycle.join)

    def _tidy(self) -> None:
        self._finish_erasures()
        tidy(self.settings, self.directory, self.catalog, log_position(self._lake), self.clock.now())

    def _find(self, event_id: str) -> tuple[list[Record], Decision]:
        records = list(dict.fromkeys([*find(self.directory.log, event_id), *self._lake.find(event_id)]))
        decision = next((record for record in records if isinstance(record, Decision)), None)
        if decision is None:
            raise UnknownEvent(f"No decision `{event_id}` in experiment `{self.settings.experiment}`")
        return records, decision

    def _check_arms(self, what: str) -> None:
        if self.settings.ranges is not None:
            raise Conflict(
                f"Probabilities of arms can be {what}; `{self.settings.experiment}` acts over a box, where there are none"
            )

    def _model(self, model_id: str) -> Hosted:
        return load_model(self.settings, self.directory.models, model_id)

    def _newest(self) -> ModelRecord:
        newest = self.catalog.newest_model(self.settings.experiment)
        if newest is None:
            raise UnknownModel(f"Experiment `{self.settings.experiment}` has no model yet; `train` makes the first")
        return newest


def experiment_of(event_id: str, data: Path, *, or_only: bool = False) -> str:
    """The experiment that an event id made here belongs to; raises `UnknownEvent` for any other id.

    `or_only`: that of any other id is the only experiment there is. To look something up, not to write: it may be nobody's.
    """
    with Catalog(data) as catalog:
        tag = EventIds(SystemClock(), key=catalog.salt, start=0).tag(event_id)
        entries = catalog.experiments()
    for entry in entries:
        if entry.tag == tag or (or_only and len(entries) == 1):
            return entry.name
    raise UnknownEvent(f"Event id `{event_id}` was not made in {data}; name its experiment with --experiment")
