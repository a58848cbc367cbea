"""The process that does an evaluation or a feature importance: `python -m` this module, DATA, EXPERIMENT, KIND, ID.

Servers start it (`starting`), so that no decision waits for it. One works at a time; killed, it has failed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msgspec.structs import replace

from rewardloop.compat.personalizer.evaluating import evaluated
from rewardloop.compat.personalizer.jobs import Job, Jobs, Kind, Score
from rewardloop.compat.personalizer.kept import read_kept
from rewardloop.errors import DirectoryInUse, NotFound, RewardloopError
from rewardloop.evaluation import Importance
from rewardloop.lake import DataSet, Lake
from rewardloop.loop.experiment import Experiment
from rewardloop.registry.leases import waiting

_NICENESS = 10
_MATTERS = 1e-12


def work(data: Path, name: str, kind: Kind, job_id: str) -> None:
    """Does the job and writes what came of it, or why nothing did; a job that was deleted meanwhile stays so."""
    with Experiment.open(name, data) as experiment:
        jobs = Jobs(experiment.directory.personalizer, kind)
        with jobs.lease(job_id), waiting(jobs.turn()):
            job = jobs.read(job_id, 0)
            done = _done(experiment, job)
            try:
                jobs.read(job_id, 0)
            except NotFound:
                return
            jobs.write(done)


def _done(experiment: Experiment, job: Job) -> Job:
    try:
        if job.kind == "importance":
            return _scored(experiment, job)
        kept = read_kept(experiment.directory.personalizer)
        return evaluated(experiment.settings, _joined(experiment), job, kept.policy_arguments)
    except RewardloopError as error:
        return replace(job, status="Failed", description=str(error))
    except Exception as error:
        return replace(job, status="Failed", description=f"The server failed: {type(error).__name__}: {error}")


def _joined(experiment: Experiment) -> DataSet:
    """Joined now, or, where `rewardloop run` has the lake, as of its last join."""
    try:
        return experiment.join()
    except DirectoryInUse:
        return Lake(experiment.directory.lake, experiment.settings.reward).dataset()


def _scored(experiment: Experiment, job: Job) -> Job:
    until = min(job.end_at, _joined(experiment).watermark)
    found = experiment.explain(after=job.start_at - 1, until=until)
    return replace(job, status="Succeeded", scores=_scores(found.importance), description=found.summary)


def _scores(found: Importance) -> list[Score]:
    """As the service scored: from 0 to 100, the most important feature has 100."""
    most = max([_MATTERS, *(feature.loss.value for feature in found.features)])
    return [Score(feature.of, feature.name, round(100 * max(feature.loss.value, 0.0) / most, 2)) for feature in found.features]


if __name__ == "__main__":
    os.nice(_NICENESS)
    _, root, named, of_kind, of_id = sys.argv
    work(Path(root), named, "importance" if of_kind == "importance" else "evaluation", of_id)
