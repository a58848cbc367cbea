"""The class of the bandits notebook of 2019, over rewardloop's own log, join, trainer, gate and registry. No AWS account."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from rewardloop.clock import SECOND, Clock, SystemClock
from rewardloop.compat.sagemaker.events import event_id_text
from rewardloop.compat.sagemaker.ingesting import ingest
from rewardloop.compat.sagemaker.joined import BUCKET, Location, Selection, job_of, write_joined
from rewardloop.compat.sagemaker.predictor import Endpoint, Predictor
from rewardloop.compat.sagemaker.record import RecordFile
from rewardloop.compat.sagemaker.rows import Row, joined_rows, reward_rows
from rewardloop.compat.sagemaker.scoring import cost
from rewardloop.compat.sagemaker.simulation import SimulationLog
from rewardloop.deciding.hosted import first_model_id
from rewardloop.errors import Conflict, InvalidInput, InvalidSettings, StorageUnavailable
from rewardloop.loop.experiment import Experiment
from rewardloop.registry.layout import DEFAULT_DATA, DataDirectory
from rewardloop.settings import ExperimentSettings, settings_from_mapping

HOUR = 3600 * SECOND
_SWAP_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class ExperimentManager:
    """One experiment, by 2019's names. `config` is the parsed config.yaml; native keys may stand in it too.

    `wait` is accepted everywhere and means nothing: every method returns when its work is done. `data` is the data directory,
    the one that `rewardloop serve` has. What is hosted here is hosted there.
    """

    def __init__(
        self,
        config: Mapping[str, object],
        experiment_id: str | None = None,
        *,
        data: Path | str = DEFAULT_DATA,
        clock: Clock | None = None,
    ) -> None:
        loaded = settings_from_mapping(config, name=experiment_id)
        if loaded.settings.actions is None:
            raise InvalidSettings("Expected the number of arms", at="$.algor.algorithms_parameters.num_arms")
        if loaded.ignored:
            _logger.warning("These keys do nothing here: %s", ", ".join(loaded.ignored))
        self.config = config
        self.experiment_id = loaded.settings.experiment
        self.local_mode = _switch(config, "local_mode")
        self.soft_deployment = _switch(config, "soft_deployment")
        self._data = DataDirectory(Path(data))
        self._clock = clock or SystemClock()
        self._directory = self._data.experiment(self.experiment_id)
        self._open(loaded.settings)
        self._file = RecordFile(self._directory.root, self.experiment_id)
        self.cw_logger = SimulationLog(self._directory.root, self._clock)
        self._endpoint = Endpoint(self._experiment)
        self.predictor: Predictor | None = Predictor(self._endpoint) if self.last_hosted_model_id else None
        self._scores: dict[str, float] = {}

    def close(self) -> None:
        """Releases files. Happens by itself when the interpreter ends; what was acknowledged is durable before."""
        self._finalize()

    @property
    def last_trained_model_id(self) -> str | None:
        return self._file.record.training_workflow_metadata.last_trained_model_id

    @property
    def last_hosted_model_id(self) -> str | None:
        return self._file.record.hosting_workflow_metadata.last_hosted_model_id

    @property
    def last_joined_job_id(self) -> str | None:
        return self._file.record.joining_workflow_metadata.last_joined_job_id

    @property
    def last_evaluation_job_id(self) -> str | None:
        return self._file.record.evaluation_workflow_metadata.last_evaluation_job_id

    @property
    def last_joined_job_train_data(self) -> Location | None:
        """The folder of CSV files, as S3 names it; its `path` is the same on disk."""
        return self._location("train")

    @property
    def last_joined_job_eval_data(self) -> Location | None:
        return self._location("eval")

    # What happened: decisions with their rewards, and rewards alone.

    def ingest_joined_data(self, joined_data_buffer: Sequence[Row], ratio: float = 0.8, wait: bool = True) -> None:
        """Take in decisions with their rewards. Of a decision made here only the reward is new; any other is history.

        `ratio` is the share of decisions, by their sample_prob, that trains. Raises `InvalidInput` naming the row.
        """
        rows = joined_rows(joined_data_buffer)
        with self._file.working("joining"):
            self._split_at(ratio)
            ingest(self._experiment, rows)
            self._join(ratio)

    def ingest_rewards(self, rewards_buffer: Sequence[Row], wait: bool = True) -> str:
        """Record rewards, durable when this returns; the answer is for `join`. A wrong row is named."""
        rows = reward_rows(rewards_buffer)
        for row in rows:
            self._experiment.reward(event_id_text(row.event_id), row.reward)
        return f"s3://{BUCKET}/{self.experiment_id}/rewards"

    def join(
        self,
        rewards_s3_path: str,
        obs_time_window: float | None = None,
        ratio: float = 0.8,
        wait: bool = True,
    ) -> None:
        """Join decisions with all rewards ingested so far, those without a reward too once their window has ended.

        `rewards_s3_path` is what `ingest_rewards` answered. `obs_time_window` in hours: older decisions are in no file of this
        job; they are in the experiment's own data set all the same.
        """
        wanted = f"s3://{BUCKET}/{self.experiment_id}/rewards"
        if str(rewards_s3_path).rstrip("/") != wanted:
            raise InvalidInput(
                f"Expected {wanted}, which ingest_rewards answers, got {str(rewards_s3_path)[:200]}: ingest them first"
            )
        with self._file.working("joining"):
            self._split_at(ratio)
            since = -1 if obs_time_window is None else self._clock.now() - int(obs_time_window * HOUR)
            self._join(ratio, since)

    # Models.

    def initialize_first_model(self, input_data_s3_prefix: str | None = None, wait: bool = True) -> None:
        """Train on what was taken in; without anything, the first model is the one that chooses uniformly."""
        if input_data_s3_prefix is None and not self._experiment.join().n:
            with self._file.working("training"):
                self._trained(first_model_id(self.experiment_id))
        else:
            self.train_next_model(input_data_s3_prefix, wait=wait)

    def train_next_model(
        self,
        input_data_s3_prefix: str | None = None,
        input_model_id: str | None = None,
        wait: bool = True,
    ) -> None:
        """The next model, from `input_model_id` (by default the newest), on all that closed since that was trained.

        Raises `Conflict` where nothing did, `UnknownModel`, `InvalidInput` for data that is not this experiment's.
        """
        with self._file.working("training"):
            self._check_location(input_data_s3_prefix)
            parent = None if input_model_id == first_model_id(self.experiment_id) else input_model_id
            self._trained(self._experiment.train(parent).model_id)

    def evaluate_model(
        self,
        input_data_s3_prefix: str | None = None,
        evaluate_model_id: str | None = None,
        wait: bool = True,
    ) -> None:
        """What a model (by default the newest) earns on held-out events; one that is not hosted meets the gate, for the record."""
        with self._file.working("evaluation"):
            self._check_location(input_data_s3_prefix)
            model_id = self._model_id(evaluate_model_id)
            work = self._file.record.evaluation_workflow_metadata
            work.n_evaluated += 1
            self._scores[model_id] = self._score(model_id)
            work.last_evaluation_job_id = f"{self.experiment_id}-eval-{work.n_evaluated}"

    def get_eval_score(self, evaluate_model_id: str | None = None, eval_data_path: str | None = None) -> float:
        """The estimated cost, 1 − reward, of a model: lower is better.

        Of its whole distribution, doubly robust, on the newest held-out events (`gate.max_events` of them), not only those of
        `eval_data_path`: a hold-out of one batch decides nothing. NaN, which no comparison prefers, where the log cannot say.
        """
        self._check_location(eval_data_path)
        model_id = self._model_id(evaluate_model_id)
        return self._scores[model_id] if model_id in self._scores else self._score(model_id)

    def deploy_model(self, model_id: str, wait: bool = True) -> None:
        """Host a model: here, and in every server on this data directory. Raises `UnknownModel`, `CorruptModel`."""
        work = self._file.record.hosting_workflow_metadata
        work.next_model_to_host_id = model_id
        with self._file.working("hosting"):
            self._experiment.deploy(model_id)
            self._await(model_id)
            work.last_hosted_model_id, work.next_model_to_host_id = model_id, None
            work.hosting_endpoint = f"local:{self.experiment_id}"
        self.predictor = Predictor(self._endpoint)

    # Around it.

    def get_cloudwatch_dashboard_details(self) -> str:
        """Where to look instead."""
        return (
            f"No CloudWatch here: `rewardloop status {self.experiment_id}`, `/metrics` of the server for Prometheus, "
            f"and {self.cw_logger.path} for what a simulation published"
        )

    def clean_resource(self, experiment_id: str) -> None:
        """End hosting: the uniform first model serves again. Models, log and data stay."""
        self._check_own(experiment_id)
        self.deploy_model(first_model_id(self.experiment_id))
        self._file.record.hosting_workflow_metadata.hosting_endpoint = None
        self._file.save()
        self.predictor = None

    def clean_table_records(self, experiment_id: str) -> None:
        """Forget states and last ids. Models, log and data stay: they are not tables that anybody pays for."""
        self._check_own(experiment_id)
        self._file.reset(self.experiment_id)
        self.predictor = None

    def _jsonify(self) -> dict[str, object]:
        """The record of 2019: ids and states of every workflow."""
        told: dict[str, object] = msgspec.to_builtins(self._file.record)
        return told

    def _open(self, settings: ExperimentSettings) -> None:
        self._experiment = Experiment.open(settings, self._data.root, clock=self._clock)
        self._finalize = weakref.finalize(self, self._experiment.close)

    def _split_at(self, ratio: float) -> None:
        """The trainer's own ratio is that of the newest call."""
        settings = self._experiment.settings
        if ratio != settings.training.ratio:
            self._finalize()
            training = msgspec.structs.replace(settings.training, ratio=ratio)
            self._open(msgspec.structs.replace(settings, training=training))
            self._endpoint.experiment = self._experiment

    def _join(self, ratio: float, decided_after: int = -1) -> None:
        work = self._file.record.joining_workflow_metadata
        work.n_joined += 1
        job = work.next_join_job_id = f"{self.experiment_id}-join-{work.n_joined}"
        self._file.save()
        data = self._experiment.join()
        write_joined(data, self._directory, job, Selection(work.joined_until, decided_after, ratio))
        work.last_joined_job_id, work.next_join_job_id, work.joined_until = job, None, data.watermark
        self._scores.clear()

    def _location(self, split: str) -> Location | None:
        job = self.last_joined_job_id
        return Location.of(self._directory, job, split) if job else None

    def _check_location(self, location: str | None) -> None:
        job = job_of(str(location), self._data) if location is not None else None
        if location is not None and (job is None or job.experiment != self.experiment_id):
            raise InvalidInput(
                f"Expected joined data of experiment `{self.experiment_id}`, such as last_joined_job_train_data, got "
                f"{str(location)[:200]}; ingest_joined_data takes in other data"
            )

    def _model_id(self, model_id: str | None) -> str:
        found = model_id or self.last_trained_model_id
        if found is None:
            raise Conflict("Expected a trained model, found none: initialize_first_model makes one")
        return found

    def _trained(self, model_id: str) -> None:
        self._file.record.training_workflow_metadata.last_trained_model_id = model_id
        self._scores.clear()

    def _score(self, model_id: str) -> float:
        return cost(self._experiment, model_id, self.last_hosted_model_id)

    def _await(self, model_id: str) -> None:
        for _ in range(int(_SWAP_SECONDS / 0.005)):
            if self._experiment.serving() == model_id:
                return
            time.sleep(0.005)
        raise StorageUnavailable(f"Model `{model_id}` was deployed and did not come into service; the log of this process says why")

    def _check_own(self, experiment_id: str) -> None:
        if experiment_id != self.experiment_id:
            raise InvalidInput(f"Expected this manager's experiment `{self.experiment_id}`, got `{experiment_id[:64]}`")


def _switch(config: Mapping[str, object], key: str) -> bool:
    """At the top, or in `algor` as some copies have it."""
    algor = config.get("algor")
    inside = algor.get(key) if isinstance(algor, Mapping) else None
    return bool(config.get(key, inside))
