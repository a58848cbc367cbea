"""How S3 tells which objects there are: pages of keys and common prefixes, as XML. No files, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

from rewardloop.clock import SECOND, isoformat
from rewardloop.compat.sagemaker.joined import BUCKET
from rewardloop.errors import InvalidInput

MAX_KEYS = 1_000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Object(NamedTuple):
    """One file, as S3 describes it."""

    key: str
    path: Path
    size: int
    modified_ns: int

    @property
    def etag(self) -> str:
        return f'"{self.modified_ns:x}-{self.size:x}"'


def listing(objects: Sequence[Object], asked: dict[str, str]) -> str:
    """A page of keys; those that share what stands before the delimiter are told as one prefix."""
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
    after = asked.get("continuation-token") or asked.get("start-after") or asked.get("marker") or ""
    limit = _limit(asked.get("max-keys", str(MAX_KEYS)))
    entries: dict[str, Object | None] = {}
    for one in objects:
        rest = one.key[len(prefix) :]
        common = prefix + rest.partition(delimiter)[0] + delimiter if delimiter and delimiter in rest else ""
        if (common or one.key) > after:
            entries[common or one.key] = None if common else one
    page = dict(list(entries.items())[:limit])
    return _document(page, len(entries) > len(page), asked)


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"Expected max-keys as a whole number, got {text[:20]}")
    return min(int(text), MAX_KEYS)


def _document(page: dict[str, Object | None], more: bool, asked: dict[str, str]) -> str:
    encode = quote if asked.get("encoding-type") == "url" else escape
    fields = {
        "Name": BUCKET,
        "Prefix": encode(asked.get("prefix", "")),
        "Delimiter": encode(asked.get("delimiter", "")),
        "MaxKeys": asked.get("max-keys", str(MAX_KEYS)),
        "KeyCount": str(len(page)),
        "EncodingType": escape(asked.get("encoding-type", "")),
        "IsTruncated": "true" if more else "false",
    }
    if more and page:
        last = next(reversed(page))
        fields["NextContinuationToken" if asked.get("list-type") == "2" else "NextMarker"] = encode(last)
    told = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value)
    parts = "".join(_entry(encode(key), one) for key, one in page.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="{NAMESPACE}">{told}{parts}</ListBucketResult>'


def _entry(key: str, one: Object | None) -> str:
    if one is None:
        return f"<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"
    at = isoformat(one.modified_ns // 10**9 * SECOND)
    return (
        f"<Contents><Key>{key}</Key><LastModified>{at}</LastModified><ETag>{escape(one.etag)}</ETag>"
        f"<Size>{one.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )
