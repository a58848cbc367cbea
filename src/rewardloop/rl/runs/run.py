"""Runs on disk: `DATA/rl/RUN`, its manifest, its lock, and the refusal of a checkpoint that belongs to another environment."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from rewardloop.durable import replace_file, storage
from rewardloop.errors import Conflict, Corrupt, InvalidInput, UnknownRun, did_you_mean
from rewardloop.registry.leases import Lease
from rewardloop.rl.runs.checkpoints import checkpoints, newest_checkpoint
from rewardloop.rl.spaces import Facts
from rewardloop.rl.toolkit import Plan

Status = Literal["running", "done", "stopped", "interrupted", "failed"]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}", re.ASCII)
_PACKAGES: Final = ("rewardloop", "gymnasium", "numpy", "torch", "stable-baselines3", "sb3-contrib", "ray")


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at while training, and when it ends before its steps are done."""

    eval_episodes: int = 5
    """Greedy episodes played at every checkpoint, always on the same seeds; 0: none, and no best checkpoint."""
    stop_at: float | None = None
    """Their mean return at which training ends."""
    patience: int | None = None
    """Checkpoints without a better mean return after which it ends."""


class Best(msgspec.Struct, frozen=True):
    """The checkpoint whose evaluation was the highest."""

    n_steps: int
    mean_return: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`: everything that decided the run, and how it stands."""

    run: str
    plan: Plan
    watching: Watching = Watching()
    script: str = ""
    """The user's own training script; empty where a toolkit trained."""
    spaces: str
    spaces_hash: str
    versions: dict[str, str]
    started_at: int
    """Microseconds UTC."""
    ended_at: int = 0
    status: Status = "running"
    reason: str = ""
    """Why it ended, where it did not simply reach its steps."""
    n_steps: int = 0
    """Up to the newest checkpoint."""
    best: Best | None = None
    n_resumed: int = 0


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Where everything of one run is."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "run.json"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def best(self) -> Path:
        """The one checkpoint that evaluated best, in a folder like the others'."""
        return self.root / "best"

    @property
    def progress(self) -> Path:
        """One JSON line a report."""
        return self.root / "progress.jsonl"

    @property
    def tensorboard(self) -> Path:
        return self.root / "tensorboard"

    @property
    def lock(self) -> Path:
        return self.root / "run.lock"

    def lease(self) -> Lease:
        """Held by whoever trains it: one process at a time."""
        return Lease(self.lock)

    def read(self) -> Manifest:
        """Raises `Corrupt` where the manifest is not one."""
        try:
            return msgspec.json.decode(self.manifest.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise Corrupt(f"Expected the manifest of a run at {self.manifest}: {error}") from None

    def write(self, manifest: Manifest) -> None:
        with storage(self.root):
            replace_file(self.manifest, msgspec.json.format(msgspec.json.encode(manifest), indent=2))

    def chosen(self, which: str = "best") -> Path:
        """A checkpoint: `best` (the newest where none was evaluated), `last`, or its step. Raises `NotFound`, `UnknownRun`."""
        if which == "best" and self.best.is_dir():
            return newest_checkpoint(self.best)
        if which in ("best", "last"):
            return newest_checkpoint(self.checkpoints)
        path = self.checkpoints / f"{int(which):012d}" if which.isdigit() else self.checkpoints / "none"
        if not path.is_dir():
            steps = ", ".join(str(int(found.name)) for found in checkpoints(self.checkpoints)) or "none yet"
            raise UnknownRun(f"Expected `best`, `last` or a step of which there is one ({steps}), got `{which}`", at="--checkpoint")
        return path


class Runs:
    """All runs of a data directory."""

    def __init__(self, data: Path) -> None:
        self.root = data / "rl"

    def names(self) -> list[str]:
        """Of every run with a manifest, in order."""
        if not self.root.is_dir():
            return []
        return sorted(path.parent.name for path in self.root.glob("*/run.json"))

    def find(self, name: str) -> RunDirectory:
        """Raises `UnknownRun` with the nearest name."""
        if name not in self.names():
            hint = did_you_mean(name, self.names()) or f"; known: {', '.join(self.names()) or 'none'}"
            raise UnknownRun(f"Unknown run `{name}` in {self.root}{hint}")
        return RunDirectory(self.root / name)

    def new(self, name: str | None, stem: str) -> RunDirectory:
        """A directory for a run that does not exist yet: `name`, or the stem and the first free number."""
        if name is not None:
            if not _NAME.fullmatch(name):
                raise InvalidInput(f"Expected a name of lower-case letters, digits, `-`, `_` and `.`, got `{name}`", at="--run")
            if (self.root / name / "run.json").exists():
                raise Conflict(f"Run `{name}` exists; go on with it by --resume {name}, or choose another name")
            return RunDirectory(self.root / name)
        base = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60] or "run"
        taken = {path.name for path in self.root.glob(f"{base}-*")} if self.root.is_dir() else set()
        return RunDirectory(self.root / next(f"{base}-{n}" for n in range(1, len(taken) + 2) if f"{base}-{n}" not in taken))


def check_same_environment(manifest: Manifest, facts: Facts) -> None:
    """Raises `Conflict` where the environment's spaces are not those that the run was trained on."""
    if facts.spaces_hash != manifest.spaces_hash:
        raise Conflict(
            f"Run `{manifest.run}` was trained on {manifest.spaces} of `{manifest.plan.env.id}`, which now has {facts.spaces}"
            f" (hash {facts.spaces_hash[:8]}, expected {manifest.spaces_hash[:8]}): its checkpoints do not fit; train a new run"
        )


def versions_now(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Of what decides a training, as installed."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
