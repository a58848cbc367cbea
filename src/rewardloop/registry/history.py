"""The history of deployments as a stack: each knows the one beneath it, to which a roll-back returns.

A, B, C and a roll-back leave A, B; a second roll-back leaves A. Hosting another model by hand, even an old one, is a step
forward: a roll-back undoes it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from rewardloop.registry.records import Deployment
from rewardloop.registry.tables import deployments

ROLL_BACK = "roll back"


def current(connection: Connection, experiment: str) -> Row[Any] | None:
    """The newest deployment's row."""
    query = select(deployments).where(deployments.c.experiment == experiment).order_by(deployments.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


def beneath(connection: Connection, deployment: Deployment) -> int | None:
    """Id of the deployment that a roll-back from this new one returns to."""
    now = current(connection, deployment.experiment)
    if now is None:
        return None
    if now.model_id == deployment.model_id:
        return _id(now.beneath)
    if deployment.reason == ROLL_BACK:
        row: Row[Any] | None = now
        while row is not None and row.model_id != deployment.model_id:
            row = connection.execute(select(deployments).where(deployments.c.id == row.beneath)).one_or_none()
        if row is not None:
            return _id(row.beneath)
    return int(now.id)


def _id(value: int | None) -> int | None:
    return None if value is None else int(value)
