"""The catalog's schema, in types that SQLite and PostgreSQL share. Instants are microseconds UTC, documents are JSON as text."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

VERSION = 1

schema = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in a column of type INTEGER

meta = Table("meta", schema, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

experiments = Table(
    "experiments",
    schema,
    Column("name", String(63), primary_key=True),
    Column("tag", Integer, nullable=False, unique=True),
    Column("settings", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_model", Integer, nullable=False, default=1),
)

models = Table(
    "models",
    schema,
    Column("model_id", String(80), primary_key=True),
    Column("experiment", ForeignKey("experiments.name"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("parent", String(80)),
    Column("watermark", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Index("models_by_number", "experiment", "n", unique=True),
)

deployments = Table(
    "deployments",
    schema,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("experiment", ForeignKey("experiments.name"), nullable=False),
    Column("model_id", String(80), nullable=False),
    Column("deployed_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    # The deployment a roll-back from here returns to. A link and not "the row before", so that rolling back twice goes back two.
    Column("beneath", _Id),
    Index("deployments_in_order", "experiment", "id"),
)

rollouts = Table(
    "rollouts",
    schema,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("experiment", ForeignKey("experiments.name"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
    Index("rollouts_in_order", "experiment", "id"),
)

evaluations = Table(
    "evaluations",
    schema,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("experiment", ForeignKey("experiments.name"), nullable=False),
    Column("candidate", String(80), nullable=False),
    Column("hosted", String(80)),
    Column("evaluated_at", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("report", Text, nullable=False),
    Index("evaluations_in_order", "experiment", "id"),
)

api_keys = Table(
    "api_keys",
    schema,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
