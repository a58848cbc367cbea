"""Evaluations and feature importances as files, one each; their work is done by a process of its own (`job`)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from rewardloop.compat.personalizer.administration import Policy
from rewardloop.compat.personalizer.statistics import Bucket
from rewardloop.durable import replace_file, storage
from rewardloop.errors import Conflict, Corrupt, DirectoryInUse, NotFound
from rewardloop.registry.leases import Lease

Kind = Literal["evaluation", "importance"]
Status = Literal["Running", "Succeeded", "Failed", "OptimalPolicyApplied", "OnlinePolicyRetained"]
Source = Literal["Online", "Baseline", "Random", "Custom", "OfflineExperimentation"]

ONLINE, BASELINE, RANDOM = "Online", "Baseline", "Random"
"""The policies of every evaluation."""
MAX_JOBS = 200
"""Of each kind; the next one is refused until one is deleted."""
_BEGINS_WITHIN = 60_000_000
"""Microseconds in which a job's process must have taken its lease."""


class PolicyResult(msgspec.Struct, frozen=True):
    name: str
    arguments: str
    source: Source
    buckets: list[Bucket]


class Score(msgspec.Struct, frozen=True):
    namespace: str
    name: str
    value: float


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A field is only ever added with a default."""

    id: str
    kind: Kind
    name: str
    created_at: int
    start_at: int
    end_at: int
    status: Status = "Running"
    policies: list[Policy] = []
    optimise: bool = False
    results: list[PolicyResult] = []
    optimal: str = ""
    scores: list[Score] = []
    description: str = ""
    """Why it failed, or on what it rests."""


class Jobs:
    """Those of one kind, of one experiment."""

    def __init__(self, directory: Path, kind: Kind) -> None:
        self._directory = directory / kind
        self.kind = kind

    def create(self, job: Job) -> None:
        """Raises `Conflict` where the id is taken, or there are too many."""
        with storage(self._directory):
            self._directory.mkdir(parents=True, exist_ok=True)
            if self._path(job.id).exists():
                raise Conflict(f"There is one with the id `{job.id[:64]}` already: delete it, or take another id")
            if len(list(self._directory.glob("*.json"))) >= MAX_JOBS:
                raise Conflict(f"Expected at most {MAX_JOBS}, found as many: delete one first")
        self.write(job)

    def write(self, job: Job) -> None:
        """Raises `StorageUnavailable`."""
        with storage(self._directory):
            replace_file(self._path(job.id), msgspec.json.encode(job))

    def read(self, job_id: str, now: int) -> Job:
        """As it stands; one whose process died has failed. Raises `NotFound`."""
        return self._judged(self._read(self._path(job_id), job_id), now)

    def all(self, now: int) -> list[Job]:
        """Oldest first."""
        found = []
        with storage(self._directory):
            paths = list(self._directory.glob("*.json"))
        for path in paths:
            with suppress(NotFound):
                found.append(self._judged(self._read(path, path.name), now))
        return sorted(found, key=lambda job: (job.created_at, job.id))

    def delete(self, job_id: str) -> None:
        """Raises `NotFound`."""
        with storage(self._directory):
            try:
                self._path(job_id).unlink()
            except FileNotFoundError:
                raise _unknown(job_id) from None
            self._path(job_id).with_suffix(".lock").unlink(missing_ok=True)

    def lease(self, job_id: str) -> Lease:
        """Held by the process that does the work."""
        return Lease(self._path(job_id).with_suffix(".lock"))

    def turn(self) -> Path:
        """A lock: one works at a time."""
        return self._directory / "turn"

    def _path(self, job_id: str) -> Path:
        return self._directory / f"{hashlib.sha256(job_id.encode()).hexdigest()[:40]}.json"

    def _read(self, path: Path, job_id: str) -> Job:
        with storage(path):
            try:
                return msgspec.json.decode(path.read_bytes(), type=Job)
            except FileNotFoundError:
                raise _unknown(job_id) from None
            except (msgspec.DecodeError, UnicodeError) as error:
                raise Corrupt(f"{path} is not what was written there ({error}); delete it") from None

    def _judged(self, job: Job, now: int) -> Job:
        if job.status != "Running" or now - job.created_at < _BEGINS_WITHIN:
            return job
        try:
            with self.lease(job.id):
                pass
        except DirectoryInUse:
            return job
        return msgspec.structs.replace(job, status="Failed", description="Its process was killed: delete it, and create it again")


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"Nothing has the id `{job_id[:64]}`; the list says what there is")
