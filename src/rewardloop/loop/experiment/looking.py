"""What can be read of an experiment while others work on it: its log, its data, its decisions, what its models go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from rewardloop.deciding.hosted import Hosted, first_model_id
from rewardloop.errors import Conflict, DirectoryInUse, UnknownEvent, UnknownModel
from rewardloop.evaluation import By, DecisionReport, GateReport, PolicyReport, Verdict
from rewardloop.evaluation.diagnostics import Diagnosis, diagnose
from rewardloop.events import Decision, Record
from rewardloop.exchange import ExportReport, export_file, format_of
from rewardloop.lake import DataSet, Ledger
from rewardloop.lake.observed import NEWEST, observe
from rewardloop.lake.progress import Progress
from rewardloop.log import Cursor, find
from rewardloop.loop.auditing import Audit, audit
from rewardloop.loop.collecting import log_position
from rewardloop.loop.experiment.opened import Opened
from rewardloop.loop.explaining import EVENTS, explain_decision, explain_policy
from rewardloop.loop.hosting import load_model
from rewardloop.loop.scoring import ScoreReport, score
from rewardloop.loop.tailing import newest
from rewardloop.registry.records import ModelRecord
from rewardloop.slots import apart


class Looking(Opened):
    """Nothing here hosts anything or changes what is logged."""

    def is_outdated(self) -> bool:
        """Whether the settings were changed since this was opened; opened again by name, it has the new ones."""
        return self.catalog.experiment(self.settings.experiment).settings != self.settings

    def newest_data(self) -> DataSet:
        """Joined up to now; where a loop is running, or the directory cannot be written, as of the last join."""
        if not self.catalog.writable:
            return self._lake.dataset()
        try:
            with self.trainer():
                return self._cycle.join()
        except DirectoryInUse:
            return self._lake.dataset()

    def doctor(self, events: int = NEWEST) -> Diagnosis:
        """Check the log, as of its last join and on its newest `events`: what is wrong, what it would bias, what to do.

        Changes nothing.
        """
        log = observe(self.directory.lake, events)
        return diagnose(replace(log, reward_range=self.settings.reward.range, train_ratio=self.settings.training.ratio))

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

    def progress(self) -> Progress:
        """What was earned from the beginning on, stretch after stretch, and which actions were chosen; as of the last join."""
        return self._lake.dataset().progress(self.settings.action_ids or ())

    def judged(self) -> dict[str, GateReport]:
        """What the gate said of each candidate the last time it was asked, oldest first."""
        found = self.catalog.evaluations(self.settings.experiment)
        gates = {each.candidate: each.report for each in found if each.verdict in get_args(Verdict)}
        return {candidate: GateReport.from_json(bytes(report).decode()) for candidate, report in gates.items()}

    def unread(self) -> int:
        """How many records are in the log that the next join has yet to take in."""
        return self._reader.lag(log_position(self._lake))

    def _newest(self) -> ModelRecord:
        newest = self.catalog.newest_model(self.settings.experiment)
        if newest is None:
            raise UnknownModel(f"Experiment `{self.settings.experiment}` has no model yet; `train` makes the first")
        return newest

    def _model(self, model_id: str) -> Hosted:
        return load_model(self.settings, self.directory.models, model_id)

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
