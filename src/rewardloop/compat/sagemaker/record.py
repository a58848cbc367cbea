"""What an `ExperimentManager` remembers from one process to the next, in the states and names of 2019."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from rewardloop.durable import replace_file, storage
from rewardloop.errors import Corrupt

FILE = "sagemaker.json"

TrainingState = Literal["PENDING", "TRAINING", "TRAINED", "STOPPED", "FAILED"]
HostingState = Literal["PENDING", "DEPLOYING", "DEPLOYED", "FAILED"]
JoiningState = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
EvaluationState = Literal["PENDING", "EVALUATING", "EVALUATED", "STOPPED", "FAILED"]

Workflow = Literal["training", "hosting", "joining", "evaluation"]

_STATES: dict[Workflow, tuple[str, str]] = {
    "training": ("TRAINING", "TRAINED"),
    "hosting": ("DEPLOYING", "DEPLOYED"),
    "joining": ("RUNNING", "SUCCEEDED"),
    "evaluation": ("EVALUATING", "EVALUATED"),
}


class Training(msgspec.Struct, kw_only=True):
    training_state: TrainingState | None = None
    last_trained_model_id: str | None = None
    next_model_to_train_id: str | None = None


class Hosting(msgspec.Struct, kw_only=True):
    hosting_state: HostingState | None = None
    hosting_endpoint: str | None = None
    last_hosted_model_id: str | None = None
    next_model_to_host_id: str | None = None


class Joining(msgspec.Struct, kw_only=True):
    joining_state: JoiningState | None = None
    last_joined_job_id: str | None = None
    next_join_job_id: str | None = None
    n_joined: int = 0
    """Jobs begun."""
    joined_until: int = -1
    """Events that closed up to this instant (microseconds UTC) are in jobs already."""


class Evaluating(msgspec.Struct, kw_only=True):
    evaluation_state: EvaluationState | None = None
    last_evaluation_job_id: str | None = None
    next_evaluation_job_id: str | None = None
    n_evaluated: int = 0


class ExperimentRecord(msgspec.Struct, kw_only=True):
    """One experiment, as `_jsonify` tells it."""

    experiment_id: str
    training_workflow_metadata: Training = msgspec.field(default_factory=Training)
    hosting_workflow_metadata: Hosting = msgspec.field(default_factory=Hosting)
    joining_workflow_metadata: Joining = msgspec.field(default_factory=Joining)
    evaluation_workflow_metadata: Evaluating = msgspec.field(default_factory=Evaluating)


class RecordFile:
    """The record of an experiment, written whenever a state changes."""

    def __init__(self, directory: Path, experiment_id: str) -> None:
        self._path = directory / FILE
        self.record = self._read(experiment_id)

    def save(self) -> None:
        with storage(self._path):
            replace_file(self._path, msgspec.json.encode(self.record))

    def reset(self, experiment_id: str) -> None:
        """As before anything was done; nothing else is forgotten."""
        self.record = ExperimentRecord(experiment_id=experiment_id)
        self.save()

    @contextmanager
    def working(self, what: Workflow) -> Iterator[None]:
        """Its state is the busy one while this lasts, then the done one; FAILED where it raises."""
        work, state = getattr(self.record, f"{what}_workflow_metadata"), f"{what}_state"
        busy, done = _STATES[what]
        setattr(work, state, busy)
        self.save()
        try:
            yield
            setattr(work, state, done)
        except BaseException:
            setattr(work, state, "FAILED")
            raise
        finally:
            self.save()

    def _read(self, experiment_id: str) -> ExperimentRecord:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=ExperimentRecord)
        except FileNotFoundError:
            return ExperimentRecord(experiment_id=experiment_id)
        except (msgspec.DecodeError, OSError, UnicodeError) as error:
            raise Corrupt(f"{self._path} does not hold an experiment's record ({error}); delete it to begin a new one") from None
