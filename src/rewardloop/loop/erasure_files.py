"""What is asked to be forgotten and what was, on disk: a file a plan, durable before anything is changed, and one record of all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from rewardloop.durable import replace_file, storage, sync
from rewardloop.erasure import MAX_EVENTS, Erasure
from rewardloop.errors import InvalidInput
from rewardloop.lake.erasing import Found

PLAN = ".plan"
RECORD = "erased.jsonl"


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

    @property
    def by(self) -> str:
        """`event`, `where NAME, NAME`, `until`: how, and nothing of what."""
        where = f"where {', '.join(sorted(self.where))}" if self.where else ""
        return "; ".join(filter(None, ("event" if self.event_ids else "", where, "until" if self.until >= 0 else "")))


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the record of erasures. Says how much, and nothing of what."""

    name: str
    asked_at: int
    """Microseconds UTC."""
    finished_at: int
    by: str
    """As `Wanted.by` says it."""
    decisions: int
    """Each slot is one."""
    rewards: int
    closed: int
    """Rows that models may have learned from."""
    models: tuple[str, ...]
    """Those that may have. None of them is continued by a later one; they go when nothing hosts them."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure until it is done."""

    asked_at: int
    wanted: Wanted
    salt: str
    erasure: Erasure | None = None
    """None until it is known which events are meant."""
    found: Found | None = None


class ErasureFiles:
    """The folder of one experiment's erasures."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        """Of the plans that wait, oldest first."""
        with storage(self._directory):
            return sorted(path.name.removesuffix(PLAN) for path in self._directory.glob(f"[0-9]*{PLAN}"))

    def keep(self, name: str, plan: Plan) -> None:
        """Durable when this returns."""
        with storage(self._directory):
            replace_file(self._path(name), msgspec.json.encode(plan))

    def read(self, name: str) -> Plan:
        with storage(self._directory):
            return msgspec.json.decode(self._path(name).read_bytes(), type=Plan)

    def erased(self) -> list[Erased]:
        """The record, oldest first."""
        path = self._directory / RECORD
        with storage(path):
            lines = path.read_bytes().splitlines() if path.exists() else []
        return [msgspec.json.decode(line, type=Erased) for line in lines]

    def finish(self, line: Erased) -> None:
        """The line, once, and then the plan goes, with the salt."""
        lines, path = self.erased(), self._directory / RECORD
        if all(each.name != line.name for each in lines):
            with storage(path):
                replace_file(path, b"".join(msgspec.json.encode(each) + b"\n" for each in (*lines, line)))
        with storage(self._directory):
            self._path(line.name).unlink(missing_ok=True)
            sync(self._directory)

    def sweep(self, before: int) -> None:
        """Removes plans that a killed process had not written to the end by `before` (microseconds UTC)."""
        with storage(self._directory):
            for left in self._directory.glob(".*"):
                if left.stat().st_mtime_ns < before * 1_000:
                    left.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{PLAN}"


def learned_from_erased(directory: Path) -> set[str]:
    """Models that may have learned from events that were forgotten since."""
    return {model_id for line in ErasureFiles(directory).erased() for model_id in line.models}


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
