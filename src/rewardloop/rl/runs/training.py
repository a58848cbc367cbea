"""A run from its plan to its end: manifest, progress, evaluation at checkpoints, early stop, and going on after a kill."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from rewardloop.clock import Clock
from rewardloop.errors import Conflict, RewardloopError
from rewardloop.interrupts import remembered
from rewardloop.rl.algorithms import check_fits, find_algorithm
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.runs.checkpoints import checkpoints, newest_checkpoint
from rewardloop.rl.runs.eventfiles import EventFiles
from rewardloop.rl.runs.run import Best, Manifest, RunDirectory, Runs, Status, Watching, check_same_environment, versions_now
from rewardloop.rl.spaces import Facts, facts_of
from rewardloop.rl.toolkit import Plan, Progress, Toolkit, load_toolkit

EVALUATION_SEEDS: Final = 1_000_000
"""Seeds of the episodes played at checkpoints begin here: a training never uses them."""

_NEVER: Final = 1 << 62


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Progress with what was found at its checkpoint; a line of `progress.jsonl`."""

    at: int
    """Microseconds UTC."""
    progress: Progress
    n_planned: int
    """Steps in all."""
    evaluation: float | None = None
    """Mean return of the greedy policy at this checkpoint."""
    best: float | None = None


Show = Callable[[Report], None]


def reports_of(directory: RunDirectory) -> list[Report]:
    """Everything reported of a run so far; a line that a kill cut short is left out."""
    lines = directory.progress.read_bytes().splitlines() if directory.progress.is_file() else []
    return [msgspec.json.decode(line, type=Report) for line in lines if _steps(line) < _NEVER]


def facts_of_env(spec: EnvSpec, timeout_s: float | None = None) -> Facts:
    """Makes the environment once to look at it, as long as `timeout_s`."""
    env = make_env(spec, timeout_s=timeout_s)
    try:
        return facts_of(env)
    finally:
        env.close()


def start(
    runs: Runs, plan: Plan, watching: Watching, clock: Clock, *, name: str | None = None, show: Show = lambda _: None
) -> Manifest:
    """Train a new run to its end. Raises `InvalidInput` before anything is written where the plan cannot work."""
    toolkit = load_toolkit(plan.toolkit)
    facts = facts_of_env(plan.env, plan.step_timeout_s)
    known = toolkit.algorithms()
    check_fits(find_algorithm(known, plan.algorithm, plan.toolkit), facts, known, plan.env.id)
    directory = runs.new(name, f"{plan.algorithm}-{plan.env.id.rpartition(':')[2]}")
    with directory.lease():
        manifest = Manifest(
            run=directory.root.name,
            plan=plan,
            watching=watching,
            spaces=facts.spaces,
            spaces_hash=facts.spaces_hash,
            versions=versions_now(),
            started_at=clock.now(),
        )
        directory.write(manifest)
        return _run(directory, manifest, toolkit, clock, show, fresh=True)


def resume(runs: Runs, name: str, clock: Clock, *, n_steps: int | None = None, show: Show = lambda _: None) -> Manifest:
    """Go on with a run, after a kill or a failure, or to more steps than it was planned for.

    Raises `Conflict` where the environment is no longer the one it was trained on, or nothing is left to do.
    """
    directory = runs.find(name)
    with directory.lease():
        manifest = directory.read()
        if manifest.script:
            raise Conflict(f"Run `{name}` was trained by a script, which resumes by its own means: run it again")
        check_same_environment(manifest, facts_of_env(manifest.plan.env, manifest.plan.step_timeout_s))
        plan = msgspec.structs.replace(manifest.plan, n_steps=n_steps or manifest.plan.n_steps)
        if manifest.status in ("done", "stopped") and plan.n_steps <= manifest.n_steps:
            raise Conflict(f"Run `{name}` has done its {manifest.n_steps:,} steps; to train on, say how many with --steps")
        again = msgspec.structs.replace(
            manifest, plan=plan, status="running", reason="", ended_at=0, n_resumed=manifest.n_resumed + 1, versions=versions_now()
        )
        directory.write(again)
        return _run(directory, again, load_toolkit(plan.toolkit), clock, show, fresh=not checkpoints(directory.checkpoints))


def _run(directory: RunDirectory, manifest: Manifest, toolkit: Toolkit, clock: Clock, show: Show, *, fresh: bool) -> Manifest:
    _cut_back(directory)
    with EventFiles(directory.tensorboard, clock) as events, remembered() as interrupted:
        watch = _Watch(directory, manifest, toolkit, events=events, clock=clock, show=show, interrupted=interrupted)
        train = toolkit.train if fresh else toolkit.resume
        try:
            train(manifest.plan, directory.checkpoints, watch)
        except KeyboardInterrupt:
            watch.end("interrupted", "Ctrl-C")
            raise
        except BaseException as error:
            watch.end("failed", str(error) if isinstance(error, RewardloopError) else f"{type(error).__name__}: {error}")
            raise
        return watch.end("stopped" if watch.reason else "done", watch.reason)


def _cut_back(directory: RunDirectory) -> None:
    """What was reported after the newest checkpoint happens again."""
    found = checkpoints(directory.checkpoints)
    last = int(found[-1].name) if found else 0
    if directory.progress.is_file():
        lines = directory.progress.read_bytes().splitlines()
        kept = [line for line in lines if line.endswith(b"}") and _steps(line) <= last]
        directory.progress.write_bytes(b"".join(line + b"\n" for line in kept))


def _steps(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=Report).progress.n_steps
    except msgspec.MsgspecError:
        return _NEVER


class _Watch:
    """Hears of progress: writes it down, evaluates checkpoints, decides whether to go on."""

    def __init__(
        self,
        directory: RunDirectory,
        manifest: Manifest,
        toolkit: Toolkit,
        *,
        events: EventFiles,
        clock: Clock,
        show: Show,
        interrupted: Callable[[], None],
    ) -> None:
        self.reason = ""
        self._directory = directory
        self._manifest = manifest
        self._toolkit = toolkit
        self._events = events
        self._clock = clock
        self._show = show
        self._interrupted = interrupted

    def __call__(self, progress: Progress) -> bool:
        self._interrupted()
        evaluation = self._at_checkpoint(progress) if progress.checkpoint is not None else None
        best = self._manifest.best
        report = Report(
            at=self._clock.now(),
            progress=progress,
            n_planned=self._manifest.plan.n_steps,
            evaluation=evaluation,
            best=best.mean_return if best is not None else None,
        )
        with self._directory.progress.open("ab") as file:
            file.write(msgspec.json.encode(report) + b"\n")
        self._events.add(progress.n_steps, _values(report))
        self._show(report)
        return not self.reason

    def end(self, status: Status, reason: str) -> Manifest:
        self._update(status=status, reason=reason, ended_at=self._clock.now())
        return self._manifest

    def _at_checkpoint(self, progress: Progress) -> float | None:
        watching = self._manifest.watching
        path = newest_checkpoint(self._directory.checkpoints)
        self._update(n_steps=progress.n_steps)
        if not watching.eval_episodes:
            return None
        seeds = range(EVALUATION_SEEDS, EVALUATION_SEEDS + watching.eval_episodes)
        found = float(np.mean(self._toolkit.evaluate(self._manifest.plan, path, seeds)))
        best = self._manifest.best
        if best is None or found > best.mean_return:
            self._keep(path)
            best = Best(progress.n_steps, found)
            self._update(best=best)
        self._judge(found, best, progress.n_steps)
        return found

    def _judge(self, found: float, best: Best, n_steps: int) -> None:
        watching = self._manifest.watching
        if watching.stop_at is not None and found >= watching.stop_at:
            self.reason = f"the mean return {found:.6g} reached {watching.stop_at:g}"
        waited = (n_steps - best.n_steps) // self._manifest.plan.checkpoint_every
        if watching.patience is not None and waited >= watching.patience:
            self.reason = f"no evaluation in {waited} checkpoints was better than {best.mean_return:.6g} at step {best.n_steps:,}"

    def _keep(self, path: Path) -> None:
        """The best so far, whole or not at all; the former goes after it."""
        target = self._directory.best
        stage = target.with_name(".best")
        shutil.rmtree(stage, ignore_errors=True)
        shutil.copytree(path, stage)
        target.mkdir(exist_ok=True)
        shutil.rmtree(target / path.name, ignore_errors=True)
        stage.rename(target / path.name)
        for old in checkpoints(target):
            if old.name != path.name:
                shutil.rmtree(old)

    def _update(self, **changes: object) -> None:
        self._manifest = msgspec.structs.replace(self._manifest, **changes)
        self._directory.write(self._manifest)


def _values(report: Report) -> dict[str, float]:
    progress = report.progress
    found = {
        "rollout/mean_return": progress.mean_return,
        "rollout/mean_length": progress.mean_length,
        "evaluation/mean_return": report.evaluation,
        **progress.metrics,
    }
    return {name: value for name, value in found.items() if value is not None}
