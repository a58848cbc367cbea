"""The hosted model as a file, out and in, its dates, and back to the first one; and the dates of the log."""

from __future__ import annotations

import asyncio
import os
import sys
from urllib.parse import parse_qs

import msgspec

from rewardloop.compat.personalizer.administration import directory_of
from rewardloop.compat.personalizer.configuration import date
from rewardloop.compat.personalizer.replies import NO_CONTENT
from rewardloop.compat.personalizer.starting import REFUSED, Refusal, Work
from rewardloop.compat.personalizer.target import Asked
from rewardloop.deciding.hosted import first_model_id
from rewardloop.erasure import ERASED
from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.events import Decision, Record, Reward
from rewardloop.lake import Lake
from rewardloop.log import Cursor, LogReader
from rewardloop.loop.tailing import newest
from rewardloop.serving.replies import Header, Reply, encode

OCTETS: Header = (b"content-type", b"application/octet-stream")


class ModelProperties(msgspec.Struct, frozen=True, rename="camel"):
    creation_time: str
    last_modified_time: str


class DateRange(msgspec.Struct, frozen=True, rename={"from_": "from"}, omit_defaults=True):
    from_: str | None = None
    to: str | None = None


class LogProperties(msgspec.Struct, frozen=True, rename="camel"):
    date_range: DateRange


async def get_model(asked: Asked) -> Reply:
    values = parse_qs(asked.call.query.decode("latin-1")).get("signed", ["false"])
    if values[-1].lower() not in ("true", "false"):
        raise InvalidInput(f"Expected true or false, got `{values[-1][:40]}`", at="signed")
    return Reply(await _work(asked, "export-signed" if values[-1].lower() == "true" else "export"), 200, (OCTETS,))


async def put_model(asked: Asked) -> Reply:
    await _work(asked, "import", asked.call.body)
    return NO_CONTENT


async def delete_model(asked: Asked) -> Reply:
    await _work(asked, "reset")
    return NO_CONTENT


async def get_model_properties(asked: Asked) -> Reply:
    return Reply(encode(await asyncio.to_thread(_properties, asked)))


async def get_log_properties(asked: Asked) -> Reply:
    return Reply(encode(LogProperties(await asyncio.to_thread(_logged, asked))))


async def delete_logs(asked: Asked) -> Reply:
    """All that was recorded until now. It is durable that it will be done when this answers, and done soon."""
    await _work(asked, "delete-logs")
    return NO_CONTENT


async def _work(asked: Asked, what: Work, body: bytes = b"") -> bytes:
    """In a process of its own: what it loads is large, and a file that breaks an engine breaks no server."""
    root, name = asked.call.service.directory.root, asked.served.settings.experiment
    command = [sys.executable, "-P", "-m", "rewardloop.compat.personalizer.model_work", os.fspath(root), name, what]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate(body)
    if process.returncode == 0:
        return out
    if process.returncode == REFUSED:
        raise _Refused(msgspec.json.decode(out, type=Refusal))
    raise InvalidInput("The file ended the process that read it: it is no model that GET /model answered")


class _Refused(RewardloopError):
    """What the process refused, as it said it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.status, self.code = refusal.status, refusal.code


def _properties(asked: Asked) -> ModelProperties:
    catalog, name = asked.call.service.catalog, asked.served.settings.experiment
    hosted, made = catalog.hosted(name), catalog.experiment(name).created_at
    if hosted is None:
        return ModelProperties(date(made), date(made))
    if hosted.model_id != first_model_id(name):
        made = catalog.model(hosted.model_id).created_at
    return ModelProperties(date(made), date(hosted.deployed_at))


def _logged(asked: Asked) -> DateRange:
    """From the oldest decision that the lake or the log holds to the newest record."""
    directory = directory_of(asked)
    with LogReader(directory.log) as reader:
        first = _first(reader)
        last, _ = newest(reader, 1)
    lake = Lake(directory.lake, asked.served.settings.reward)
    joined = next(iter(lake.dataset().interactions(batch=1)), None) if directory.lake.exists() else None
    begun = ([_at(first)] if first is not None else []) + ([int(joined.closed_at[0])] if joined is not None and len(joined) else [])
    return DateRange(date(min(begun)), date(max(map(_at, last)))) if begun and last else DateRange()


def _first(reader: LogReader) -> Record | None:
    """The oldest record of each read that is not erased; of several writers about the oldest."""
    cursor = Cursor()
    while True:
        records, cursor = reader.read(cursor)
        found = [record for record in records if not record.event_id.startswith(ERASED)]
        if found or not records:
            return min(found, key=_at, default=None)


def _at(record: Record) -> int:
    match record:
        case Decision():
            return record.decided_at
        case Reward():
            return record.rewarded_at
        case _:
            return record.activated_at
