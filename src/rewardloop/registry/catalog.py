"""The catalog: which experiments there are, their models, what was hosted when, what every evaluation said."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, Table, select

from rewardloop.errors import (
    Conflict,
    InvalidInput,
    RewardloopError,
    StorageUnavailable,
    UnknownKey,
    UnknownModel,
    did_you_mean,
)
from rewardloop.registry import tables
from rewardloop.registry.api_keys import ApiKey
from rewardloop.registry.database import remote, sqlite, sqlite_unwritable
from rewardloop.registry.history import beneath, current
from rewardloop.registry.leases import waiting
from rewardloop.registry.names import is_experiment_name, model_name
from rewardloop.registry.records import Deployment, Evaluation, ExperimentEntry, ModelRecord, RolloutStep, record_to_json
from rewardloop.registry.rows import (
    api_key_of,
    api_key_row,
    changed_actions,
    deployment_of,
    document_of,
    enter_experiment,
    entry_of,
    evaluation_of,
    find_experiment,
    made,
    model_row,
    prepare,
    record_of,
    require_experiment,
    rollout_of,
    value_of,
)
from rewardloop.settings import ExperimentSettings, checked, settings_to_json


class Catalog:
    """One data directory's catalog, in `catalog.db`; or, by a SQLAlchemy `url`, in a database that several machines share.

    Any number of processes and threads may use it at once; what a call has written is on disk when it returns. Lists are
    oldest first, and `limit` keeps the newest. Raises `StorageUnavailable` where the database cannot be used, `Corrupt`
    where it is damaged. Laws: `rewardloop.testing.store.CatalogContract`.

    In a directory that cannot be written, such as a backup that is mounted, or on a full disk, everything can be read.
    """

    writable: bool
    """Whether the data directory could be written when it was opened."""

    def __init__(self, data_directory: Path, *, url: str | None = None, entropy: Callable[[int], bytes] = os.urandom) -> None:
        path = data_directory / "catalog.db"
        self.writable = bool(url) or not path.exists() or _can_write(data_directory)
        self._database = remote(url) if url else (sqlite if self.writable else sqlite_unwritable)(path)
        try:
            self.salt = self._prepared(data_directory, entropy)
        except BaseException:
            self._database.close()
            raise

    def _prepared(self, data_directory: Path, entropy: Callable[[int], bytes]) -> int:
        if not self.writable:
            return made(self._database)
        with waiting(data_directory / "catalog.lock"):  # or two could make the same tables at once
            try:
                return prepare(self._database, entropy)
            except StorageUnavailable:  # A full disk; what was made before can be read.
                with suppress(RewardloopError):
                    return made(self._database)
                raise

    # Experiments

    def register(self, settings: ExperimentSettings, at: int) -> ExperimentEntry:
        """Enters an experiment, or its new settings. Raises `Conflict` if its actions would change, `InvalidSettings`.

        Nothing is written where it is entered already as it is.
        """
        checked(settings)
        known = self._known(settings)
        if known is not None:
            return msgspec.structs.replace(known, settings=settings)
        with self._writing() as connection:
            row = find_experiment(connection, settings.experiment)
            if row is None:
                return enter_experiment(connection, settings, at)
            entry = entry_of(row)
            if _offered(entry.settings) != _offered(settings):
                raise Conflict(changed_actions(entry, settings))
            document = settings_to_json(settings).decode()
            if document != row.settings:
                table = tables.experiments
                connection.execute(table.update().where(table.c.name == settings.experiment).values(settings=document))
        return msgspec.structs.replace(entry, settings=settings)

    def _known(self, settings: ExperimentSettings) -> ExperimentEntry | None:
        with self._database.reading() as connection:
            row = find_experiment(connection, settings.experiment)
            return entry_of(row) if row is not None and row.settings == settings_to_json(settings).decode() else None

    def experiments(self) -> list[ExperimentEntry]:
        with self._database.reading() as connection:
            return [entry_of(row) for row in connection.execute(select(tables.experiments).order_by(tables.experiments.c.tag))]

    def experiment(self, name: str) -> ExperimentEntry:
        """Raises `UnknownExperiment` with the nearest name."""
        with self._database.reading() as connection:
            return entry_of(require_experiment(connection, name))

    # Models

    def next_model_number(self, experiment: str) -> int:
        """A number that no other call, in any process, is given. Raises `UnknownExperiment`."""
        table = tables.experiments
        step = table.update().where(table.c.name == experiment).values(next_model=table.c.next_model + 1)
        with self._writing() as connection:
            require_experiment(connection, experiment)
            return int(connection.execute(step.returning(table.c.next_model)).scalar_one()) - 1

    def add_model(self, record: ModelRecord) -> None:
        """Enters a model; the same again changes nothing. Raises `Conflict` if its id has another record."""
        name = model_name(record.model_id)
        if name.experiment != record.experiment or name.snapshot or not name.n:
            raise InvalidInput(f"Expected a trained model of experiment `{record.experiment}`, got `{record.model_id}`")
        document = record_to_json(record).decode()
        with self._writing() as connection:
            require_experiment(connection, record.experiment)
            there = connection.execute(document_of(record.model_id)).scalar_one_or_none()
            if there is None:
                connection.execute(tables.models.insert().values(model_row(record, name.n, document)))
            elif there != document:
                raise Conflict(f"Model `{record.model_id}` is entered already, with another record; a model is never changed")

    def model(self, model_id: str) -> ModelRecord:
        """Raises `UnknownModel` with the nearest id."""
        experiment = model_name(model_id).experiment
        with self._database.reading() as connection:
            document = connection.execute(document_of(model_id)).scalar_one_or_none()
            if document is not None:
                return record_of(document)
            ids = connection.execute(select(tables.models.c.model_id).where(tables.models.c.experiment == experiment)).scalars()
            raise UnknownModel(f"Unknown model `{model_id}`{did_you_mean(model_id, ids)}")

    def models(self, experiment: str, limit: int | None = None) -> list[ModelRecord]:
        return [record_of(row.record) for row in self._newest(tables.models, tables.models.c.n, experiment, limit)]

    def forget_requests(self, model_ids: Sequence[str]) -> None:
        """Takes the golden requests, contexts of events, out of the records of models. Those in the models' files stay."""
        table = tables.models
        with self._writing() as connection:
            for model_id in model_ids:
                document = connection.execute(document_of(model_id)).scalar_one()
                empty = record_to_json(replace(record_of(document), golden=())).decode()
                connection.execute(table.update().where(table.c.model_id == model_id).values(record=empty))

    def newest_model(self, experiment: str) -> ModelRecord | None:
        """The model with the highest number."""
        return next(iter(self.models(experiment, limit=1)), None)

    # Deployments

    def record_deployment(self, deployment: Deployment) -> None:
        """Enters what is hosted from now on."""
        model_name(deployment.model_id)
        with self._writing() as connection:
            require_experiment(connection, deployment.experiment)
            values = {**msgspec.structs.asdict(deployment), "beneath": beneath(connection, deployment)}
            connection.execute(tables.deployments.insert().values(values))

    def deployments(self, experiment: str, limit: int | None = None) -> list[Deployment]:
        rows = self._newest(tables.deployments, tables.deployments.c.id, experiment, limit)
        return [deployment_of(row) for row in rows]

    def hosted(self, experiment: str) -> Deployment | None:
        """The newest deployment."""
        return next(iter(self.deployments(experiment, limit=1)), None)

    def previous_hosted(self, experiment: str) -> str | None:
        """Id of the model that a roll-back returns to: after A, B, C it is B; after that roll-back, A; after that, None."""
        with self._database.reading() as connection:
            now = current(connection, experiment) if is_experiment_name(experiment) else None
            if now is None or now.beneath is None:
                return None
            table = tables.deployments
            return str(connection.execute(select(table.c.model_id).where(table.c.id == now.beneath)).scalar_one())

    # Rollouts

    def record_rollout(self, step: RolloutStep) -> None:
        """Enters what became of a challenger. Raises `UnknownExperiment`."""
        model_name(step.challenger)
        document = msgspec.json.encode(step).decode()
        with self._writing() as connection:
            require_experiment(connection, step.experiment)
            connection.execute(tables.rollouts.insert().values(experiment=step.experiment, at=step.at, step=document))

    def rollouts(self, experiment: str, limit: int | None = None) -> list[RolloutStep]:
        return [rollout_of(row) for row in self._newest(tables.rollouts, tables.rollouts.c.id, experiment, limit)]

    def open_rollout(self, experiment: str) -> RolloutStep | None:
        """The newest step of the trial under way; None where there is none, or another model than its champion is hosted."""
        step, hosted = next(iter(self.rollouts(experiment, limit=1)), None), self.hosted(experiment)
        champion = hosted.model_id if hosted else f"{experiment}.0"
        return step if step is not None and step.is_open and step.champion == champion else None

    # Evaluations

    def record_evaluation(  # noqa: PLR0917 # the order of a sentence: in this experiment, this one against that, then, it said
        self, experiment: str, candidate: str, hosted: str | None, at: int, verdict: str, report_json: str | bytes
    ) -> None:
        """Enters what the gate said of a candidate against the hosted model."""
        report = report_json.decode() if isinstance(report_json, bytes) else report_json
        values = {
            "experiment": experiment, "candidate": candidate, "hosted": hosted,
            "evaluated_at": at, "verdict": verdict, "report": report,
        }  # fmt: skip
        with self._writing() as connection:
            require_experiment(connection, experiment)
            connection.execute(tables.evaluations.insert().values(values))

    def evaluations(self, experiment: str, limit: int | None = None) -> list[Evaluation]:
        return [evaluation_of(row) for row in self._newest(tables.evaluations, tables.evaluations.c.id, experiment, limit)]

    # API keys

    def add_key(self, key: ApiKey) -> None:
        """Enters a key. Raises `UnknownExperiment` for one of its scope, `Conflict` where its name or id is taken."""
        table = tables.api_keys
        with self._writing() as connection:
            for experiment in key.experiments:
                require_experiment(connection, experiment)
            same = table.c.name == key.name, table.c.revoked_at.is_(None)
            if connection.execute(select(table.c.key_id).where(*same)).first() is not None:
                raise Conflict(f"There is a key named `{key.name}`: choose another name, or revoke that one first")
            connection.execute(table.insert().values(api_key_row(key)))

    def revoke_key(self, named: str, at: int) -> ApiKey:
        """Ends a key, named by its id or its name; it stays in the list. Raises `UnknownKey`."""
        table = tables.api_keys
        with self._writing() as connection:
            living = {key.key_id: key for key in map(api_key_of, connection.execute(select(table))) if key.revoked_at is None}
            found = living.get(named) or next((key for key in living.values() if key.name == named), None)
            if found is None:
                near = did_you_mean(named, [*living, *(key.name for key in living.values())])
                raise UnknownKey(f"No key `{ascii(named)[1:-1][:80]}` that could be revoked{near}")
            connection.execute(table.update().where(table.c.key_id == found.key_id).values(revoked_at=at))
        return msgspec.structs.replace(found, revoked_at=at)

    def api_keys(self) -> list[ApiKey]:
        """All that were ever made, those revoked included."""
        table = tables.api_keys
        with self._database.reading() as connection:
            return [api_key_of(row) for row in connection.execute(select(table).order_by(table.c.created_at, table.c.key_id))]

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _newest(self, table: Table, order: Any, experiment: str, limit: int | None) -> list[Row[Any]]:
        if not is_experiment_name(experiment):
            return []
        query = select(table).where(table.c.experiment == experiment).order_by(order.desc()).limit(limit)
        with self._database.reading() as connection:
            return list(reversed(connection.execute(query).all()))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            # One writer at a time on PostgreSQL too; SQLite, whose writers wait for each other anyhow, ignores FOR UPDATE.
            connection.execute(value_of("version").with_for_update())
            yield connection


def _offered(settings: ExperimentSettings) -> tuple[object, ...]:
    return settings.action_ids, settings.ranges, settings.cells


def _can_write(directory: Path) -> bool:
    catalog = directory / "catalog.db"
    return all(os.access(path, os.W_OK, effective_ids=True) for path in (directory, catalog) if path.exists())
