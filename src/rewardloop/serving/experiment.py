"""One experiment as one worker serves it: its decider, its hosted model, its commits. No HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence

import msgspec
from msgspec import UnsetType

from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Answer, Asking, Decider
from rewardloop.deciding.hosted import Hosted, first_model
from rewardloop.deciding.offers import Offer
from rewardloop.errors import RewardloopError
from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.lake import Lake
from rewardloop.log import LogWriter, find
from rewardloop.loop.erasure_files import ErasureFiles
from rewardloop.loop.hosting import Loading
from rewardloop.registry import pointer
from rewardloop.registry.layout import ExperimentDirectory
from rewardloop.registry.pointer import HostedWatch
from rewardloop.serving.commits import Commits, InlineCommits, ThreadedCommits
from rewardloop.serving.counts import ExperimentCounts
from rewardloop.serving.recent import Recent, Taken, taken
from rewardloop.serving.turns import Turns
from rewardloop.settings import ExperimentSettings

_PROBE_BYTES = 1 << 16

_logger = logging.getLogger(__name__)


class ServedExperiment:
    """Raises `StorageUnavailable` where its log cannot be opened."""

    def __init__(
        self, settings: ExperimentSettings, directory: ExperimentDirectory, decider: Decider, writer: str, counts: ExperimentCounts
    ) -> None:
        self.settings = settings
        self.counts = counts
        self.problem = ""
        """Why the model that the registry hosts is not the one in memory; empty where it is."""
        self._directory = directory
        self._name = writer
        self._decider = decider
        self._writer = LogWriter(directory.log, settings.log, writer)
        self._commits: Commits = (InlineCommits if settings.log.durability == "process" else ThreadedCommits)(self._writer.commit)
        self._turns = Turns(self._decide_each, self._commits)
        self._loading = Loading(settings, directory, decider.clock, writer)
        self._watch = HostedWatch(directory.hosted)
        self._turned_for: list[str] = []
        self._hosted = first_model(settings)
        self._loaded = True
        self._failing = False
        self._searching = asyncio.Lock()
        self._recent = Recent()
        counts.model_id = self._hosted.model_id

    @property
    def hosted(self) -> Hosted:
        return self._hosted

    @property
    def loaded(self) -> bool:
        """False where the model that is to be hosted could not be loaded when serving began, and none could be since."""
        return self._loaded

    async def find(self, event_id: str) -> Decision | None:
        """The decision of an id, from lake or log, if there is one: searched for on a thread, one search at a time."""
        async with self._searching:
            return await asyncio.to_thread(self._find, event_id)

    async def taken(self, event_id: str) -> Taken | None:
        """When an event was decided, and with which slots: from memory where it is new and this worker's, else as `find`."""
        known = self._recent.find(event_id)
        if known is not None:
            return known
        decision = await self.find(event_id)
        return taken(decision) if decision is not None else None

    def _find(self, event_id: str) -> Decision | None:
        lake = Lake(self._directory.lake, self.settings.reward).find(event_id) if self._directory.lake.exists() else []
        found = (record for record in lake or find(self._directory.log, event_id) if isinstance(record, Decision))
        return next(found, None)

    async def decide(self, request: DecideRequest, offer: Offer | None = None) -> Answer:
        """The decision and its action's id, once it is in the log.

        `offer` is what a dialect has understood already, where the request itself names no actions; by default the fixed ones.
        """
        if self._decider.alone(request):
            answer = self._decider.decide(self._hosted, request, offer)
            await self._commit(answer[:1])
        else:
            done, place = self._turns.join((request, offer))
            answers, outcome = await done
            if isinstance(found := answers[place], Exception):
                raise found
            if outcome is not None:
                raise self._failed(outcome)
            answer = found
        self.counts.decisions += 1
        if request.event_id is not None or request.slots:
            self._recent.remember(answer[0])
        return answer

    def _decide_each(self, asked: Sequence[Asking]) -> list[Answer | Exception]:
        return self._decider.decide_each(self._hosted, asked)

    async def decide_many(self, requests: Sequence[DecideRequest], actions: msgspec.Raw | UnsetType) -> list[Answer]:
        answers = self._decider.decide_many(self._hosted, requests, actions)
        await self._commit([decision for decision, _ in answers])
        self.counts.decisions += len(answers)
        return answers

    def check_many(self, requests: Sequence[DecideRequest]) -> None:
        """Raises what `decide_many` would, and decides nothing: for a batch that is taken in parts, all of it or none."""
        self._decider.decide_many(self._hosted, requests)

    async def record(self, records: Sequence[Reward] | Sequence[Activation]) -> None:
        """Returns once the records are in the log."""
        await self._commit(records)
        for record in records:
            if isinstance(record, Reward):
                self.counts.rewards += 1
            else:
                self.counts.activations += 1

    async def _commit(self, records: Sequence[Record]) -> None:
        outcome = await self._commits.add(records)
        if outcome is not None:
            raise self._failed(outcome)

    def _failed(self, outcome: Exception) -> Exception:
        self._failing = True
        self.counts.failed_commits += 1
        return outcome

    def adopt(self, settings: ExperimentSettings, decider: Decider) -> None:
        """Goes on under new settings; those of `log` wait for a start of the server, and a trained model keeps its floor."""
        self.settings, self._decider = settings, decider
        self._loading.adopt(settings)
        first = first_model(settings)
        if self._hosted.model_id == first.model_id:
            self._hosted = first._replace(trial=self._hosted.trial)
        _logger.info("experiment=%s has new settings", settings.experiment)

    async def start(self) -> None:
        """Takes the hosted model into service. Where it is refused, the first one is served and the experiment is not ready."""
        self._loaded = False
        await self.refresh()
        self._loaded = not self.problem

    async def refresh(self) -> None:
        """Takes the model into service that the registry hosts, if it is another and answers as its trainer says it must."""
        try:
            pointed = self._watch.changed()
        except RewardloopError as error:
            self._refuse(str(error))
        else:
            if pointed is not None and self._loading.is_news(pointed, self._hosted):
                await self._take(pointed)

    def save(self) -> None:
        """Writes what was counted of a trial. Raises `StorageUnavailable`."""
        self._loading.file.save()

    async def _take(self, pointed: pointer.Hosted) -> None:
        try:
            hosted = await asyncio.to_thread(self._loading.load, pointed, self._hosted)
        except Exception as error:  # Whatever is wrong with a model, the one that works goes on.
            self._refuse(f"Model `{pointed.model_id}`: {error}")
        else:
            self._host(hosted)

    def _host(self, hosted: Hosted) -> None:
        self.counts.swaps += hosted.model_id != self._hosted.model_id
        self._hosted = hosted
        self._loaded = True
        self.problem = ""
        self.counts.model_id = hosted.model_id
        self.counts.challenger = hosted.trial.challenger.model_id if hosted.trial else ""
        self.counts.trial = self._loading.file.counts
        challenger = self.counts.challenger or "none"
        _logger.info("experiment=%s hosts model=%s challenger=%s", self.settings.experiment, hosted.model_id, challenger)

    def _refuse(self, why: str) -> None:
        self.problem = f"Refused, `{self._hosted.model_id}` stays. {why}"
        self.counts.refused_models += 1
        _logger.error("experiment=%s %s", self.settings.experiment, self.problem)

    def check(self) -> bool:
        """Whether decisions are answered as they should be: a model was loaded, and the log's directory takes writes."""
        self.counts.ready = self._loaded and self._writable()
        return self.counts.ready

    def _writable(self) -> bool:
        try:
            free = os.access(self._directory.root, os.W_OK) and os.statvfs(self._directory.root).f_bavail > 0
            if self._failing:
                self._probe()
        except OSError as error:
            self.problem = f"The log cannot be written: {error}"
            return False
        return free

    def _probe(self) -> None:
        """After a commit failed, only a write that succeeds is believed."""
        probe = self._directory.root / f"{self._name}.probe"
        probe.write_bytes(bytes(_PROBE_BYTES))
        probe.unlink()
        self._failing, self.problem = False, ""

    def turn_over(self) -> None:
        """Begins another file of the log where something in this one is to be erased: only a file that is whole can be."""
        asked = ErasureFiles(self._directory.erasures).names()
        if any(name not in self._turned_for for name in asked):
            self._writer.turn()
        self._turned_for = asked

    async def close(self) -> None:
        self._turns.end()
        await self._commits.close()
        self._writer.close()
