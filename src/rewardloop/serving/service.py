"""All experiments of one worker, and the registry they come from. No HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from rewardloop.clock import Clock
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.rewarding import Rewarder
from rewardloop.errors import NotFound, UnknownExperiment, did_you_mean
from rewardloop.events import Activation, Reward
from rewardloop.ids import EventIds
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.records import ExperimentEntry
from rewardloop.serving.counts import Counts
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.settings import ExperimentSettings

_logger = logging.getLogger(__name__)

HOSTED_POLL_SECONDS = 0.02
CATALOG_POLL_SECONDS = 1.0
_CATCH_UP_INTERVAL = 100_000
"""Microseconds."""


class Service:
    """`start` before use, `close` after. `start_counter` and `writer` must differ between processes, dead ones included."""

    def __init__(self, directory: DataDirectory, clock: Clock, writer: str, start_counter: int, counts: Counts) -> None:
        self.counts = counts
        self.catalog = Catalog(directory.root)
        self._served: dict[str, ServedExperiment] = {}
        self.directory = directory
        self._clock = clock
        self._writer = writer
        self._ids = EventIds(clock, key=self.catalog.salt, start=start_counter)
        self._looked_at = 0
        self._refreshing = asyncio.Lock()
        self._rewarder = Rewarder(self._ids, clock, ())

    @property
    def experiments(self) -> Mapping[str, ServedExperiment]:
        """Those that whoever holds this may use, by name."""
        return self._served

    @property
    def n_served(self) -> int:
        """How many there are, all in all."""
        return len(self._served)

    @property
    def rewarder(self) -> Rewarder:
        """Of all experiments; another when one is taken in."""
        return self._rewarder

    async def start(self) -> None:
        await self.refresh_catalog()

    async def change(self, settings: ExperimentSettings) -> None:
        """Gives an experiment other settings: here at once, in other processes within a second. Raises `InvalidSettings`."""
        await asyncio.to_thread(self.catalog.register, settings, self._clock.now())
        await self.refresh_catalog()

    def now(self) -> int:
        """Microseconds UTC."""
        return self._clock.now()

    def known(self, name: str) -> ServedExperiment | None:
        """An experiment that is served already; None leaves it to `experiment` to find one, or to say what is wrong."""
        return self._served.get(name)

    async def experiment(self, name: str) -> ServedExperiment:
        """Raises `UnknownExperiment` with the nearest name. One registered a moment ago is found."""
        if name not in self.experiments:
            await self._catch_up()
        try:
            return self.experiments[name]
        except KeyError:
            near = did_you_mean(name[:64], self.experiments)
            raise UnknownExperiment(f"Unknown experiment `{name[:64]}`{near}") from None

    async def record(self, make: Callable[[Rewarder], Sequence[Reward]]) -> None:
        """Logs what `make` makes, each record with its experiment: all of them, or nothing where `make` raises.

        Several experiments have several logs: where one of them fails the others' records stay, though nothing was
        acknowledged. A client that sends all of it again needs reward ids to have each count once.
        """
        try:
            records = make(self.rewarder)
        except NotFound:
            await self._catch_up()
            records = make(self.rewarder)
        if len({record.experiment for record in records}) == 1:
            await self.experiments[records[0].experiment].record(records)
        else:
            await asyncio.gather(*(self._record_those(name, records) for name in {record.experiment for record in records}))

    async def activate(self, event_id: str, experiment: str | None) -> Activation:
        """The activation, once it is in the log."""
        activation = await self.activation(event_id, experiment)
        await self.log_activation(activation)
        return activation

    async def activation(self, event_id: str, experiment: str | None) -> Activation:
        """What would be logged. Raises `NotFound`, `InvalidInput`."""
        try:
            return self.rewarder.activation(event_id, experiment)
        except NotFound:
            await self._catch_up()
            return self.rewarder.activation(event_id, experiment)

    async def log_activation(self, activation: Activation) -> None:
        await self._served[activation.experiment].record([activation])

    async def _record_those(self, name: str, records: Sequence[Reward]) -> None:
        await self.experiments[name].record([record for record in records if record.experiment == name])

    async def _catch_up(self) -> None:
        """Looks into the catalog, but not for each of a flood of unknown names."""
        now = self._clock.now()
        if now - self._looked_at > _CATCH_UP_INTERVAL:
            self._looked_at = now
            await self.refresh_catalog()

    async def refresh_catalog(self) -> None:
        """Takes in what was registered since, and settings that were changed."""
        async with self._refreshing:
            registered = await asyncio.to_thread(self.catalog.experiments)
            new = [entry for entry in registered if entry.name not in self.experiments]
            changed = [entry for entry in registered if entry not in new and self._differs(entry)]
            for entry in changed:
                self.experiments[entry.name].adopt(entry.settings, self._decider(entry))
            try:
                for entry in new:
                    await self._take_in(entry)
            finally:  # One experiment that cannot be opened keeps no other from its rewards.
                if new or changed:
                    served = [(entry.tag, entry.settings) for entry in registered if entry.name in self.experiments]
                    self._rewarder = Rewarder(self._ids, self._clock, served)

    def _differs(self, entry: ExperimentEntry) -> bool:
        return self.experiments[entry.name].settings != entry.settings

    def _decider(self, entry: ExperimentEntry) -> Decider:
        return Decider(entry.settings, entry.tag, self._ids, self._clock)

    async def _take_in(self, entry: ExperimentEntry) -> None:
        directory = self.directory.experiment(entry.name)
        served = ServedExperiment(entry.settings, directory, self._decider(entry), self._writer, self.counts.experiment(entry.name))
        await served.start()
        self._served[entry.name] = served
        _logger.info("experiment=%s serves model=%s", entry.name, served.hosted.model_id)

    async def refresh_models(self) -> None:
        """Swaps in what was deployed since."""
        for served in list(self.experiments.values()):
            await served.refresh()

    def save_trials(self) -> None:
        """Writes what was counted of each trial, for the loop. Raises `StorageUnavailable`."""
        for served in list(self.experiments.values()):
            served.save()

    def turn_over(self) -> None:
        """Begins another file of each log in which something is to be erased."""
        for served in list(self.experiments.values()):
            served.turn_over()

    def ready(self) -> bool:
        """Whether each experiment is."""
        return sum(served.check() for served in self.experiments.values()) == len(self.experiments)

    async def close(self) -> None:
        for served in self.experiments.values():
            await served.close()
        self.catalog.close()
