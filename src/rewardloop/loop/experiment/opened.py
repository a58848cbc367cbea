"""The files and parts of one experiment, each opened when it is first needed and closed together. The verbs are in `experiment`."""

from __future__ import annotations

import os
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Self

from rewardloop.clock import Clock
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.rewarding import Rewarder
from rewardloop.ids import EventIds
from rewardloop.lake import Lake
from rewardloop.log import LogReader, LogWriter
from rewardloop.loop.cycle import Cycle
from rewardloop.loop.deploying import Deploying
from rewardloop.loop.erasing import Erasing
from rewardloop.loop.erasure_files import learned_from_erased
from rewardloop.loop.hosting import Following
from rewardloop.loop.judging import Judging
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.trials.rollouts import Rollouts
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.leases import Lease
from rewardloop.registry.models import ModelStore
from rewardloop.settings import ExperimentSettings

_OWN = ("_writer", "_reader", "_decider", "_rewarder", "_following", "_cycle")
"""Parts that a process makes for itself."""


class Opened:
    """One experiment's directory, in this process. A context manager."""

    def __init__(self, settings: ExperimentSettings, data: Path, clock: Clock) -> None:
        root = DataDirectory(data)
        self.settings = settings
        self.directory = root.experiment(settings.experiment)
        self.clock = clock
        self.catalog = Catalog(data)
        self.entry = self.catalog.register(settings, clock.now())
        self._be_born()
        store = ModelStore(self.directory.models)
        self.modelling = Modelling(settings, self.catalog, store, clock, partial(learned_from_erased, self.directory.erasures))
        self.erasing = Erasing(self.directory, self._lake, self.catalog, clock)
        self.judging = Judging(self.modelling, clock)
        self.deploying = Deploying(self.modelling, self.directory.hosted, clock)
        self.rollouts = Rollouts(self.modelling, self.deploying, self.directory.trial, clock)

    def trainer(self) -> Lease:
        """The lock that whoever joins, trains or runs the loop holds; `DirectoryInUse` for everybody else."""
        return Lease(self.directory.trainer_lock)

    def close(self) -> None:
        """Release files; what was acknowledged is durable already."""
        self._own()
        if "_following" in self.__dict__:
            self._following.save()
        for name in ("_writer", "_reader"):
            if name in self.__dict__:
                self.__dict__[name].close()
        self.catalog.close()

    def _be_born(self) -> None:
        """What no other process may have: the names of its files, and the ids it makes."""
        self._born = int.from_bytes(os.urandom(6), "big")
        self._ids = EventIds(self.clock, key=self.catalog.salt, start=self._born)
        self._pid = os.getpid()

    def _own(self) -> None:
        """In a forked child (a server that loads the application before it forks): its own ids and its own segment of the log.

        On its parent's it would write over what the parent writes.
        """
        if os.getpid() == self._pid:
            return
        parts = [self.__dict__.pop(name, None) for name in _OWN]
        for part in parts:
            if isinstance(part, LogWriter):
                part.leave_to_parent()
        self._be_born()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @cached_property
    def _decider(self) -> Decider:
        return Decider(self.settings, self.entry.tag, self._ids, self.clock)

    @cached_property
    def _rewarder(self) -> Rewarder:
        return Rewarder(self._ids, self.clock, [(self.entry.tag, self.settings)])

    @cached_property
    def _following(self) -> Following:
        return Following(self.settings, self.directory, self.clock, f"process-{self._born:012x}")

    @cached_property
    def _writer(self) -> LogWriter:
        return LogWriter(self.directory.log, self.settings.log, f"process-{self._born:012x}")

    @cached_property
    def _reader(self) -> LogReader:
        return LogReader(self.directory.log)

    @cached_property
    def _lake(self) -> Lake:
        return Lake(self.directory.lake, self.settings.reward)

    @cached_property
    def _cycle(self) -> Cycle:
        return Cycle(self._reader, self._lake, self.modelling, self.judging, self.deploying, self.rollouts, self.clock)
