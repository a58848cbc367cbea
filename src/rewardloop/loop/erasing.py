"""Forgetting events for good: asked for in a file, carried out in lake, log and joined copies, told in a line without their data.

A plan is on disk before anything is changed and goes last, and every step may be repeated: whoever holds the trainer lock next
finishes what a killed process left, or what a log that is being written kept from being finished.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec.structs import replace

from rewardloop.clock import SECOND, Clock
from rewardloop.durable import storage
from rewardloop.erasure import Erasure
from rewardloop.events import Record
from rewardloop.lake import Lake
from rewardloop.lake.erasing import Found
from rewardloop.log import rewrite, seal_abandoned
from rewardloop.log.codec import instant
from rewardloop.loop.erasure_files import Erased, ErasureFiles, Plan, Wanted
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import ExperimentDirectory


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure found, and whether it is done."""

    decisions: int
    rewards: int
    closed: int
    models: tuple[str, ...]
    done: bool
    left: tuple[str, ...] = ()
    """Files of the log that are still written, or put aside as damaged: they hold what is to be forgotten."""


class Erasing:
    """The erasures of one experiment. Only `ask` and `look` may be called without the trainer lock."""

    def __init__(self, directory: ExperimentDirectory, lake: Lake, catalog: Catalog, clock: Clock) -> None:
        self._directory = directory
        self._files = ErasureFiles(directory.erasures)
        self._lake = lake
        self._catalog = catalog
        self._clock = clock

    def look(self, wanted: Wanted) -> Outcome:
        """What there is to be erased, as of the last join; nothing is changed."""
        return self._outcome(self._lake.look(self._erasure(wanted, "")), done=False)

    def ask(self, wanted: Wanted) -> str:
        """From now on it will be done, whatever happens: the plan is durable when this returns. Its name."""
        name = f"{self._clock.now()}-{secrets.token_hex(4)}"
        self._files.keep(name, Plan(asked_at=self._clock.now(), wanted=wanted, salt=secrets.token_hex(16)))
        return name

    def asked(self) -> list[str]:
        """Names of the plans that are not carried out."""
        return self._files.names()

    def finish(self, collect: Callable[[], object]) -> dict[str, Outcome]:
        """Carries out every plan, as far as it goes; `collect` brings all that was recorded into the lake."""
        if not self.asked():
            return {}
        self._files.sweep(self._clock.now() - 3_600 * SECOND)
        seal_abandoned(self._directory.log)
        collect()
        return {name: self._carry_out(name, self._files.read(name)) for name in self.asked()}

    def _carry_out(self, name: str, plan: Plan) -> Outcome:
        if plan.erasure is None or plan.found is None:
            erasure = self._erasure(plan.wanted, plan.salt)
            plan = replace(plan, erasure=erasure, found=self._lake.look(erasure))
            self._files.keep(name, plan)
        assert plan.erasure is not None
        assert plan.found is not None
        models = self._models(plan.found)
        self._lake.erase(plan.erasure)
        self._catalog.forget_requests(models)
        with storage(self._directory.joined):
            shutil.rmtree(self._directory.joined, ignore_errors=True)
        _, left = rewrite(self._directory.log, partial(_applied, plan.erasure))
        if not left:
            self._files.finish(self._line(name, plan, plan.found, models))
        return self._outcome(plan.found, done=not left, left=left)

    def _erasure(self, wanted: Wanted, salt: str) -> Erasure:
        ids = {*wanted.event_ids, *(self._lake.matching(wanted.where) if wanted.where else ())}
        return Erasure(salt=salt, event_ids=frozenset(ids), until=wanted.until)

    def _models(self, found: Found) -> tuple[str, ...]:
        models = self._catalog.models(self._lake.experiment)
        return tuple(m.model_id for m in models if m.watermark >= found.first_closed_at and not m.is_taken_in)

    def _outcome(self, found: Found, *, done: bool, left: tuple[str, ...] = ()) -> Outcome:
        return Outcome(
            decisions=found.n_decisions,
            rewards=found.n_rewards,
            closed=found.n_closed,
            models=self._models(found),
            done=done,
            left=left,
        )

    def _line(self, name: str, plan: Plan, found: Found, models: tuple[str, ...]) -> Erased:
        return Erased(
            name=name,
            asked_at=plan.asked_at,
            finished_at=self._clock.now(),
            by=plan.wanted.by,
            decisions=found.n_decisions,
            rewards=found.n_rewards,
            closed=found.n_closed,
            models=models,
        )


def _applied(erasure: Erasure, record: Record) -> Record:
    return erasure.applied(record, instant(record))
