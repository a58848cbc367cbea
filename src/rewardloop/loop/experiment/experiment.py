"""The whole loop in one process: the same log, lake, registry and decisions as over HTTP, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import sleep
from typing import NamedTuple, Self

from rewardloop.clock import SECOND, Clock, SystemClock
from rewardloop.deciding.hosted import first_model_id
from rewardloop.errors import Conflict, UnknownEvent
from rewardloop.evaluation import EvaluationReport, GateReport
from rewardloop.exchange import ImportReport, import_file
from rewardloop.ids import EventIds
from rewardloop.lake import DataSet
from rewardloop.learning.training import Progress
from rewardloop.loop.collecting import log_position
from rewardloop.loop.cycle import CycleReport
from rewardloop.loop.erasing import Outcome
from rewardloop.loop.erasure_files import Wanted, learned_from_erased
from rewardloop.loop.experiment.deciding import Deciding
from rewardloop.loop.experiment.trying import Trying
from rewardloop.loop.online import Online
from rewardloop.loop.running import run
from rewardloop.loop.tidying import tidy
from rewardloop.policies.contract import Policy
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DEFAULT_DATA
from rewardloop.registry.records import Deployment, GoldenRequest, ModelRecord, RolloutStep
from rewardloop.settings import ExperimentSettings, load_settings

ERASE_SECONDS = 10
"""How long an erasure waits for a server's workers to begin another file of the log."""


class TakenIn(NamedTuple):
    """What became of a policy that was trained elsewhere."""

    model: ModelRecord
    report: GateReport | None
    """What the gate said; None where it was not asked."""
    deployment: Deployment | None
    """None where the gate said no."""


class Experiment(Deciding, Trying):
    """One experiment, opened on a data directory: everything the HTTP API and the commands do, without a server.

    Any number of processes may decide and reward at once, children that were forked from this one too. Steps of the loop (`join`,
    `train`, `evaluate`, `turn`, `run` …) take a lock that one process holds at a time; a second one gets `DirectoryInUse`. How
    to decide and reward stands in `Deciding`, what can be read in `Looking`, trials of models in `Trying`; here are the steps
    of the loop.

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

    def warm_start(self, path: Path | str, only: str | None = None) -> ImportReport:
        """Take in the log of an existing system as closed events, to train and to evaluate on.

        A file of CSV, JSON lines, Parquet or dsjson. Rows that cannot be understood are left out and counted by reason in the
        report; the same file a second time adds nothing. Of a file whose rows name several experiments those of one can be
        had, `only`; without it such a file raises `InvalidInput`, and nothing of it is taken in.
        """
        with self.trainer():
            arms = self.settings.cells or self.settings.action_ids
            return import_file(self._lake, Path(path), arms, self.clock.now(), only)

    def erase(self, wanted: Wanted) -> Outcome:
        """Forget events for good, in lake, log and joined copies, and say which models may have learned from them.

        From when this is called it will be done, whatever happens; where another process runs the loop, by that one: then this
        raises `DirectoryInUse`. A log that a server is writing is rewritten once its workers have begun another file, in seconds.
        """
        name = self.erasing.ask(wanted)
        with self.trainer():
            return self._erase(name)

    def replace_tainted(self) -> Deployment | None:
        """Where the hosted model may have learned from what was erased, host one that is trained anew from what is left.

        Where nothing is left, the first, uniform one. Then the models that may have are deleted. None where none was hosted.
        The gate is not asked: the one that is replaced must not be.
        """
        with self.trainer():
            hosted, made = self.catalog.hosted(self.settings.experiment), None
            if hosted is not None and hosted.model_id in learned_from_erased(self.directory.erasures):
                made = self.deploying.deploy(self._untainted(), "manual")
            self._tidy()
            return made

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

    def report(self, model_id: str | None = None) -> EvaluationReport:
        """Like `evaluate`, with all that a reader may ask beside the verdict: every estimator, weights, support, curves over n."""
        candidate = self.catalog.model(model_id) if model_id else self._newest()
        return self.judging.report(candidate, self.newest_data())

    def turn(self) -> CycleReport:
        """Take one turn of the loop: join, train, evaluate, and deploy if the gate agrees. Raises `Conflict` as `train` does."""
        with self.trainer():
            return self._cycle.turn(self._cycle.join())

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

    def _untainted(self) -> str:
        try:
            return self.modelling.train_next(self._cycle.join()).model_id
        except Conflict:
            return first_model_id(self.settings.experiment)

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
