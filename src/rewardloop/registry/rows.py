"""Rows of the catalog's tables ↔ records. No transaction begins here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from rewardloop.clock import isoformat
from rewardloop.errors import Conflict, Corrupt, InvalidInput, UnknownExperiment, did_you_mean
from rewardloop.ids import MAX_TAG
from rewardloop.registry import tables
from rewardloop.registry.api_keys import ApiKey, Role
from rewardloop.registry.database import Database
from rewardloop.registry.names import is_experiment_name
from rewardloop.registry.records import Deployment, Evaluation, ExperimentEntry, ModelRecord, RolloutStep, record_from_json
from rewardloop.settings import ExperimentSettings, settings_from_json, settings_to_json


def prepare(database: Database, entropy: Callable[[int], bytes]) -> int:
    """Makes the tables where there are none, and the directory's salt once and for ever; returns the salt."""
    with database.writing() as connection:
        tables.schema.create_all(connection)
        version = connection.execute(value_of("version")).scalar_one_or_none()
        if version is None:
            salt = int.from_bytes(entropy(8), "big")
            connection.execute(
                tables.meta.insert(), [{"key": "version", "value": str(tables.VERSION)}, {"key": "salt", "value": str(salt)}]
            )
        return _salt(connection)


def made(database: Database) -> int:
    """The salt of a catalog that was made before, whatever may be written to it."""
    with database.reading() as connection:
        return _salt(connection)


def _salt(connection: Connection) -> int:
    version = connection.execute(value_of("version")).scalar_one()
    if version != str(tables.VERSION):
        raise Conflict(f"Expected a catalog of version {tables.VERSION}, got {version}: use the rewardloop that made it")
    return int(connection.execute(value_of("salt")).scalar_one())


def value_of(key: str) -> Select[Any]:
    return select(tables.meta.c.value).where(tables.meta.c.key == key)


def document_of(model_id: str) -> Select[Any]:
    return select(tables.models.c.record).where(tables.models.c.model_id == model_id)


def find_experiment(connection: Connection, name: str) -> Row[Any] | None:
    if not is_experiment_name(name):
        return None
    return connection.execute(select(tables.experiments).where(tables.experiments.c.name == name)).one_or_none()


def require_experiment(connection: Connection, name: str) -> Row[Any]:
    """Raises `UnknownExperiment` with the nearest name."""
    row = find_experiment(connection, name)
    if row is None:
        names = connection.execute(select(tables.experiments.c.name)).scalars().all()
        none = "; there is none yet: `rewardloop init` writes a file, `rewardloop serve FILE` takes it in"
        hint = did_you_mean(name, names) or ("" if names else none)
        raise UnknownExperiment(f"Unknown experiment `{ascii(name)[1:-1][:80]}`{hint}")
    return row


def enter_experiment(connection: Connection, settings: ExperimentSettings, at: int) -> ExperimentEntry:
    tag = (connection.execute(select(func.max(tables.experiments.c.tag))).scalar() or 0) + 1
    if tag > MAX_TAG:
        raise Conflict(f"Expected at most {MAX_TAG} experiments in a data directory: begin another directory")
    entry = ExperimentEntry(name=settings.experiment, tag=tag, settings=settings, created_at=at)
    document = settings_to_json(settings).decode()
    values = {"name": entry.name, "tag": tag, "settings": document, "created_at": at}
    connection.execute(tables.experiments.insert().values(values))
    return entry


def entry_of(row: Row[Any]) -> ExperimentEntry:
    try:
        settings = settings_from_json(row.settings)
    except InvalidInput as error:
        raise Corrupt(f"The catalog's settings of experiment `{row.name}` cannot be read: {error}") from None
    return ExperimentEntry(name=row.name, tag=row.tag, settings=settings, created_at=row.created_at)


def record_of(document: str) -> ModelRecord:
    try:
        return record_from_json(document)
    except InvalidInput as error:
        raise Corrupt(f"The catalog's record of a model cannot be read: {error}") from None


def model_row(record: ModelRecord, n: int, document: str) -> dict[str, object]:
    same = {key: getattr(record, key) for key in ("model_id", "experiment", "parent", "watermark", "created_at")}
    return {**same, "n": n, "record": document}


def deployment_of(row: Row[Any]) -> Deployment:
    return Deployment(experiment=row.experiment, model_id=row.model_id, deployed_at=row.deployed_at, reason=row.reason)


def rollout_of(row: Row[Any]) -> RolloutStep:
    try:
        return msgspec.json.decode(row.step, type=RolloutStep)
    except msgspec.DecodeError as error:
        raise Corrupt(f"The catalog's record of a rollout cannot be read: {error}") from None


class _Scope(msgspec.Struct, frozen=True):
    """What a key may: the part of its row that may grow."""

    roles: tuple[Role, ...]
    experiments: tuple[str, ...] = ()
    signs: bool = False


def api_key_row(key: ApiKey) -> dict[str, object]:
    same = {name: getattr(key, name) for name in ("key_id", "name", "digest", "created_at", "revoked_at")}
    return {**same, "scope": msgspec.json.encode(_Scope(key.roles, key.experiments, key.signs)).decode()}


def api_key_of(row: Row[Any]) -> ApiKey:
    try:
        scope = msgspec.json.decode(row.scope, type=_Scope)
    except msgspec.DecodeError as error:
        raise Corrupt(f"The catalog's record of API key `{row.key_id}` cannot be read: {error}") from None
    same = {name: getattr(row, name) for name in ("key_id", "name", "digest", "created_at", "revoked_at")}
    return ApiKey(**same, **msgspec.structs.asdict(scope))


def evaluation_of(row: Row[Any]) -> Evaluation:
    same = {key: getattr(row, key) for key in ("experiment", "candidate", "hosted", "evaluated_at", "verdict")}
    return Evaluation(**same, report=msgspec.Raw(row.report.encode()))


def changed_actions(entry: ExperimentEntry, settings: ExperimentSettings) -> str:
    return (
        f"Experiment `{entry.name}` was begun at {isoformat(entry.created_at)} with {_actions(entry.settings)}, "
        f"now has {_actions(settings)}: its models and its log speak of the former. Put back the former, or begin a new experiment "
        f"that knows what this one saw: `rewardloop export {entry.name} old.parquet`, `rewardloop warm-start NEW.yaml old.parquet`"
    )


def _actions(settings: ExperimentSettings) -> str:
    ids = settings.action_ids
    if ids is None:
        return "actions that each request brings"
    if settings.cells is not None:
        return f"actions from {settings.cells.low:g} to {settings.cells.high:g} in {settings.cells.n} cells"
    if settings.ranges is not None:
        low, high = settings.ranges
        return f"actions from {list(low)} to {list(high)}"[:120]
    return f"the {len(ids)} actions {', '.join(ids[:5])[:80]}" + (", …" if len(ids) > 5 else "")
