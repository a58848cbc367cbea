"""Enough of S3 to list and read joined data with boto3: bucket `rewardloop`, read only. Keys are those of `joined.Location`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from rewardloop.compat.sagemaker.joined import BUCKET
from rewardloop.compat.sagemaker.s3_listing import NAMESPACE, Object, listing
from rewardloop.errors import InvalidInput, NotFound, RewardloopError
from rewardloop.serving.handlers import Call
from rewardloop.serving.replies import Header, Reply, hints
from rewardloop.serving.service import Service

_XML: Header = (b"content-type", b"application/xml")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_RANGE = re.compile(rb"bytes=(?P<first>[0-9]*)-(?P<last>[0-9]*)")


class NoSuchKey(NotFound):
    code, title = "NoSuchKey", "No such key"


class InvalidRange(RewardloopError):
    code, title, status = "InvalidRange", "Range not satisfiable", 416


class PreconditionFailed(RewardloopError):
    code, title, status = "PreconditionFailed", "Precondition failed", 412


class ReadOnly(RewardloopError):
    code, title, status = "MethodNotAllowed", "Read only", 405


def refuse(error: RewardloopError) -> Reply:
    """S3's errors are XML; of ours their code, where it is not one of S3's own, is told as the nearest of those."""
    named = error.code if isinstance(error, NoSuchKey | InvalidRange | PreconditionFailed | ReadOnly) else _code(error.status)
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{named}</Code><Message>{escape(str(error))}</Message></Error>'
    return Reply(body.encode(), {401: 403, 422: 400}.get(error.status, error.status), (_XML, *hints(error)))


async def list_objects(call: Call) -> Reply:
    """ListObjectsV2, and the first version of it."""
    asked = {key: values[0] for key, values in parse_qs(call.query.decode("latin-1"), keep_blank_values=True).items()}
    if "location" in asked:
        return Reply(f'<LocationConstraint xmlns="{NAMESPACE}"/>'.encode(), headers=(_XML,))
    objects = await asyncio.to_thread(_objects, call.service, asked.get("prefix", ""))
    return Reply(listing(objects, asked).encode(), headers=(_XML,))


async def get_object(call: Call) -> Reply:
    """GetObject, whole or a range; HeadObject is the same without its body."""
    experiment, job, split, name = call.parameters
    found = await asyncio.to_thread(_find, call.service, (experiment, job, split, name))
    headers = dict(call.headers)
    if (wanted := headers.get(b"if-match")) and wanted.decode("latin-1") != found.etag:
        raise PreconditionFailed("The object is another than the one that was listed")
    first, last = _span(headers.get(b"range"), found.size)
    body = await asyncio.to_thread(_read, found.path, first, last)
    return Reply(body, 206 if b"range" in headers else 200, _described(found, first, last, b"range" in headers))


async def refuse_write(_: Call) -> Reply:
    raise ReadOnly(f"Bucket `{BUCKET}` is read only: the loop writes it")


def _code(status: int) -> str:
    return {404: "NoSuchKey", 403: "AccessDenied", 401: "AccessDenied", 503: "SlowDown", 429: "SlowDown", 500: "InternalError"}.get(
        status, "InvalidRequest"
    )


def _objects(service: Service, prefix: str) -> list[Object]:
    """Those whose key begins so, in the order of their keys."""
    wanted = prefix.split("/", 1)[0]
    names = [wanted] if wanted in service.experiments else [name for name in service.experiments if name.startswith(prefix)]
    found = [one for name in names for one in _of(service, name) if one.key.startswith(prefix)]
    return sorted(found, key=lambda one: one.key)


def _of(service: Service, experiment: str) -> list[Object]:
    root = service.directory.experiment(experiment).joined
    paths = [path for path in root.glob("*/*/*.csv") if not path.relative_to(root).parts[0].startswith(".")]
    return [_described_path(f"{experiment}/joined/{path.relative_to(root).as_posix()}", path) for path in paths]


def _find(service: Service, parts: Sequence[str]) -> Object:
    """Names are checked, so that no path leads out of the folder."""
    experiment, job, split, name = parts
    key = f"{experiment}/joined/{job}/{split}/{name}"
    if experiment not in service.experiments or not all(_NAME.fullmatch(part) for part in (job, split, name)):
        raise NoSuchKey(f"No object `{key[:200]}` in bucket `{BUCKET}`")
    path = service.directory.experiment(experiment).joined / job / split / name
    if not path.is_file():
        raise NoSuchKey(f"No object `{key[:200]}` in bucket `{BUCKET}`")
    return _described_path(key, path)


def _described_path(key: str, path: Path) -> Object:
    status = path.stat()
    return Object(key, path, status.st_size, status.st_mtime_ns)


def _span(wanted: bytes | None, size: int) -> tuple[int, int]:
    """First byte, and the one after the last."""
    if wanted is None:
        return 0, size
    found = _RANGE.fullmatch(wanted)
    if found is None or found["first"] == found["last"] == b"":
        raise InvalidInput(f"Expected one range of bytes, got {wanted[:60].decode('latin-1')}")
    if not found["first"]:
        return max(size - int(found["last"]), 0), size
    first, last = int(found["first"]), min(int(found["last"] or size - 1), size - 1)
    if first >= size or last < first:
        raise InvalidRange(f"Expected a range within {size} bytes, got {wanted[:60].decode('latin-1')}")
    return first, last + 1


def _read(path: Path, first: int, last: int) -> bytes:
    with path.open("rb") as file:
        file.seek(first)
        return file.read(last - first)


def _described(found: Object, first: int, last: int, ranged: bool) -> tuple[Header, ...]:
    modified = datetime.fromtimestamp(found.modified_ns // 10**9, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    plain: tuple[Header, ...] = (
        (b"content-type", b"text/csv"),
        (b"etag", found.etag.encode()),
        (b"last-modified", modified.encode()),
        (b"accept-ranges", b"bytes"),
    )
    return (*plain, (b"content-range", b"bytes %d-%d/%d" % (first, last - 1, found.size))) if ranged else plain
