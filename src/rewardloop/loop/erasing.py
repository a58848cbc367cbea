"""Forgetting events for good: asked for in a file, carried out in lake, log and joined copies, told in a line without their data.

A plan is on disk before anything is changed and goes last, and every step may be repeated: whoever holds the trainer lock next
finishes what a killed process left, or what a log that is being written kept from being finished.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from rewardloop.clock import SECOND, Clock
from rewardloop.durable import replace_file, storage, sync
from rewardloop.erasure import MAX_EVENTS, Erasure
from rewardloop.errors import InvalidInput
from rewardloop.events import Record
from rewardloop.lake import Lake
from rewardloop.lake.erasing import Found
from rewardloop.log import rewrite, seal_abandoned
from rewardloop.log.codec import instant
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import ExperimentDirectory

PLAN = ".plan"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be forgotten: these events, those whose context has all these features, all up to an instant."""

    event_ids: tuple[str, ...] = ()
    where: dict[str, str] = {}
    """Name of a feature of the context → its value, as text."""
    until: int = -1
    """Microseconds UTC."""

    def __post_init__(self) -> None:
        if len(self.event_ids) > MAX_EVENTS:
            raise InvalidInput(f"Expected at most {MAX_EVENTS} event ids, got {len(self.event_ids)}")
        if not self.event_ids and not self.where and self.until < 0:
            raise InvalidInput("Expected --event, --where or --until, got none: nothing would be erased")


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the record of erasures. Says how much, and nothing of what."""

    name: str
    asked_at: int
    """Microseconds UTC."""
    finished_at: int
    by: str
    """`event`, `where NAME, NAME`, `until`."""
    decisions: int
    """Each slot is one."""
    rewards: int
    closed: int
    """Rows that models may have learned from."""
    models: tuple[str, ...]
    """Those that may have. None of them is continued by a later one; they go when nothing hosts them."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure found, and whether it is done."""

    decisions: int
    rewards: int
    closed: int
    models: tuple[str, ...]
    done: bool
    left: tuple[str, ...] = ()
    """Files of the log that are still written, or put aside as damaged: they hold what is to be forgotten."""


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    asked_at: int
    wanted: Wanted
    salt: str
    erasure: Erasure | None = None
    """None until it is known which events are meant."""
    found: Found | None = None


class Erasing:
    """The erasures of one experiment. Only `ask` and `look` may be called without the trainer lock."""

    def __init__(self, directory: ExperimentDirectory, lake: Lake, catalog: Catalog, clock: Clock) -> None:
        self._directory = directory
        self._lake = lake
        self._catalog = catalog
        self._clock = clock

    def look(self, wanted: Wanted) -> Outcome:
        """What there is to be erased, as of the last join; nothing is changed."""
        return self._outcome(self._lake.look(self._erasure(wanted, "")), done=False)

    def ask(self, wanted: Wanted) -> str:
        """From now on it will be done, whatever happens: the plan is durable when this returns. Its name."""
        name = f"{self._clock.now()}-{secrets.token_hex(4)}"
        self._keep(name, _Plan(asked_at=self._clock.now(), wanted=wanted, salt=secrets.token_hex(16)))
        return name

    def asked(self) -> list[str]:
        """Names of the plans that are not carried out."""
        return plans(self._directory)

    def finish(self, collect: Callable[[], object]) -> dict[str, Outcome]:
        """Carries out every plan, as far as it goes; `collect` brings all that was recorded into the lake."""
        if not self.asked():
            return {}
        self._sweep()
        seal_abandoned(self._directory.log)
        collect()
        return {name: self._carry_out(name, self._read(name)) for name in self.asked()}

    def _carry_out(self, name: str, plan: _Plan) -> Outcome:
        if plan.erasure is None or plan.found is None:
            erasure = self._erasure(plan.wanted, plan.salt)
            plan = replace(plan, erasure=erasure, found=self._lake.look(erasure))
            self._keep(name, plan)
        assert plan.erasure is not None
        assert plan.found is not None
        models = self._models(plan.found)
        self._lake.erase(plan.erasure)
        self._catalog.forget_requests(models)
        with storage(self._directory.joined):
            shutil.rmtree(self._directory.joined, ignore_errors=True)
        _, left = rewrite(self._directory.log, partial(_applied, plan.erasure))
        if not left:
            self._record(name, plan, plan.found, models)
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

    def _record(self, name: str, plan: _Plan, found: Found, models: tuple[str, ...]) -> None:
        """The line, once, and then the plan goes, with the salt."""
        lines = erased(self._directory)
        if all(line.name != name for line in lines):
            line = Erased(
                name=name,
                asked_at=plan.asked_at,
                finished_at=self._clock.now(),
                by=_said(plan.wanted),
                decisions=found.n_decisions,
                rewards=found.n_rewards,
                closed=found.n_closed,
                models=models,
            )
            with storage(self._record_path):
                replace_file(self._record_path, b"".join(msgspec.json.encode(each) + b"\n" for each in (*lines, line)))
        with storage(self._directory.erasures):
            self._path(name).unlink(missing_ok=True)
            sync(self._directory.erasures)

    def _sweep(self) -> None:
        """Removes plans that a killed process had not written to the end an hour ago."""
        with storage(self._directory.erasures):
            for left in self._directory.erasures.glob(".*"):
                if left.stat().st_mtime_ns < (self._clock.now() - 3_600 * SECOND) * 1_000:
                    left.unlink(missing_ok=True)

    def _keep(self, name: str, plan: _Plan) -> None:
        with storage(self._directory.erasures):
            replace_file(self._path(name), msgspec.json.encode(plan))

    def _read(self, name: str) -> _Plan:
        with storage(self._directory.erasures):
            return msgspec.json.decode(self._path(name).read_bytes(), type=_Plan)

    def _path(self, name: str) -> Path:
        return self._directory.erasures / f"{name}{PLAN}"

    @property
    def _record_path(self) -> Path:
        return self._directory.erasures / RECORD


RECORD = "erased.jsonl"


def plans(directory: ExperimentDirectory) -> list[str]:
    """Names of the plans that wait, oldest first."""
    with storage(directory.erasures):
        return sorted(path.name.removesuffix(PLAN) for path in directory.erasures.glob(f"[0-9]*{PLAN}"))


def erased(directory: ExperimentDirectory) -> list[Erased]:
    """The record of erasures, oldest first."""
    path = directory.erasures / RECORD
    with storage(path):
        lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Erased) for line in lines]


def learned_from_erased(directory: ExperimentDirectory) -> set[str]:
    """Models that may have learned from events that were forgotten since."""
    return {model_id for line in erased(directory) for model_id in line.models}


def parse_where(conditions: Mapping[str, str] | tuple[str, ...]) -> dict[str, str]:
    """`context.NAME=VALUE` of each. Raises `InvalidInput`.

    >>> parse_where(("context.user.id=u7",))
    {'user.id': 'u7'}
    """
    where = {}
    for condition in conditions:
        name, found, value = condition.partition("=")
        if not found or not name.startswith("context.") or name == "context.":
            raise InvalidInput(f"Expected context.NAME=VALUE, such as context.user_id=u7, got `{condition[:100]}`", at="--where")
        where[name.removeprefix("context.")] = value
    return where


def _applied(erasure: Erasure, record: Record) -> Record:
    return erasure.applied(record, instant(record))


def _said(wanted: Wanted) -> str:
    where = f"where {', '.join(sorted(wanted.where))}" if wanted.where else ""
    return "; ".join(filter(None, ("event" if wanted.event_ids else "", where, "until" if wanted.until >= 0 else "")))
