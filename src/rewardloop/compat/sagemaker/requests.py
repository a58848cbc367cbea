"""What a body of an invocation asks: JSON, JSON lines or CSV become typed requests, and those the decisions to take."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

from rewardloop.actions import ActionSet
from rewardloop.compat.sagemaker import features
from rewardloop.compat.sagemaker.words import in_their_words
from rewardloop.deciding.asking import DecideRequest
from rewardloop.errors import InvalidInput, MalformedJson, UnsupportedMedia, did_you_mean
from rewardloop.events import MAX_SLOTS
from rewardloop.json_values import MAX_MAGNITUDE
from rewardloop.serving.reading import decode
from rewardloop.serving.replies import encode

JSON_TYPE, LINES_TYPE, CSV_TYPE = b"application/json", b"application/jsonlines", b"text/csv"
UNTOLD = b"application/octet-stream"
"""What boto3 says of a body where its caller says nothing; read as JSON, as is a body that nothing is said of."""
ACCEPTED = frozenset({JSON_TYPE, LINES_TYPE, CSV_TYPE, UNTOLD})

Kind = Literal["observation", "reward", "model_id"]
KINDS: tuple[Kind, ...] = ("observation", "reward", "model_id")


MAX_LINES = 100_000

NOTHING = Raw(b"null")


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every JSON object that an invocation may be."""

    request_type: str = "observation"
    observation: Raw = NOTHING
    """A list of numbers and texts, or an object whose features have names."""
    shared_context: Raw = NOTHING
    actions_context: Raw = NOTHING
    """A list of such lists or objects, one an action."""
    top_k: Annotated[int, Meta(ge=1, le=MAX_SLOTS)] = 1
    user_id: str | int | None = None
    event_id: str | int | None = None
    reward: float | None = None

    @property
    def kind(self) -> Kind:
        """Raises `InvalidInput` for another."""
        for kind in KINDS:
            if self.request_type == kind or self.request_type.lower() == kind:
                return kind
        near = did_you_mean(self.request_type[:40].lower(), KINDS)
        raise InvalidInput(f"Unknown request_type `{self.request_type[:40]}`; expected one of {', '.join(KINDS)}{near}")


class Asked(msgspec.Struct, frozen=True, gc=False):
    """One decision to take."""

    request: DecideRequest
    offered: ActionSet | None = None
    """The actions with features that the request brought; None: of fixed arms."""
    line: int = 0
    """Of a batch, from 1; 0 where it came alone."""

    @property
    def whole(self) -> DecideRequest:
        """With the actions in it."""
        return self.request if self.offered is None else msgspec.structs.replace(self.request, actions=Raw(self.offered.raw))


_body = msgspec.json.Decoder(Body)
_value = msgspec.json.Decoder(Raw)


def read_json(raw: bytes, at: str = "") -> Body:
    """One JSON value: an object, or a bare list that is an observation. Raises `MalformedJson` (400)."""
    try:
        return Body(observation=decode(_value, raw)) if raw.lstrip()[:1] == b"[" else decode(_body, raw)
    except InvalidInput as error:
        raise MalformedJson(f"Incorrect JSON format error: {at}{error}") from None


def asked(body: Body, event_id: str | None = None) -> Asked:
    """The decision that an observation, or actions with features, ask for. Raises `InvalidInput`."""
    observed, offered = bytes(body.observation), bytes(body.actions_context)
    if offered != b"null":
        if observed != b"null":
            raise InvalidInput("Expected `observation` or `actions_context`, got both")
        shared = features.shared_context(bytes(body.shared_context), body.user_id)
        top_k = body.top_k if body.top_k > 1 else None
        try:
            return Asked(DecideRequest(context=shared, event_id=event_id, top_k=top_k), features.offered(offered))
        except InvalidInput as error:
            raise in_their_words(error, with_features=True) from None
    if observed == b"null":
        raise MalformedJson("Incorrect JSON format error: expected `observation`, or `actions_context` for actions with features")
    return Asked(DecideRequest(context=features.context(observed), event_id=event_id))


def read_many(raw: bytes, content_type: bytes) -> Iterator[Asked]:
    """Of JSON lines or CSV: a decision a line. Empty lines are none. Raises `InvalidInput` naming the line."""
    for n, one in enumerate(_lines(raw) if content_type == LINES_TYPE else _rows(raw)):
        if n >= MAX_LINES:
            raise InvalidInput(f"Expected at most {MAX_LINES} lines in a batch, got more: send it in parts")
        yield one


def _lines(raw: bytes) -> Iterator[Asked]:
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        body = read_json(line, f"line {number}: ")
        if body.kind != "observation":
            raise InvalidInput(f"Expected observations in a batch, got request_type `{body.kind}` in line {number}: send it alone")
        try:
            one = asked(body)
        except InvalidInput as error:
            raise type(error)(f"line {number}: {error}") from None
        yield msgspec.structs.replace(one, line=number)


def _rows(raw: bytes) -> Iterator[Asked]:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"Expected CSV in UTF-8, got byte 0x{raw[error.start]:02x} at offset {error.start}") from None
    rows = csv.reader(text.splitlines())
    try:
        for row in rows:
            if row:
                cells = encode([_cell(cell, rows.line_num) for cell in row])
                yield Asked(DecideRequest(context=features.context(cells)), line=rows.line_num)
    except csv.Error as error:
        raise InvalidInput(f"Expected CSV, got something else in line {rows.line_num}: {error}") from None


def _cell(text: str, line: int) -> float | str | None:
    """A number where it is one; an empty cell is absent."""
    try:
        number = float(text)
    except ValueError:
        return text.strip() or None
    if not -MAX_MAGNITUDE < number < MAX_MAGNITUDE:
        raise InvalidInput(f"Expected a finite number between -1e30 and 1e30, got `{text[:40]}` in line {line}")
    return number


@lru_cache(maxsize=64)
def media_type(value: bytes) -> bytes:
    """Without its parameters.

    >>> media_type(b"Text/CSV; charset=utf-8")
    b'text/csv'
    """
    return value.partition(b";")[0].strip().lower()


@lru_cache(maxsize=64)
def answer_type(accept: bytes, content_type: bytes) -> bytes:
    """The type to answer in: the first of `Accept` that is known, the body's own where anything will do.

    >>> answer_type(b"*/*", JSON_TYPE), answer_type(b"text/csv", LINES_TYPE), answer_type(b"", CSV_TYPE)
    (b'application/json', b'text/csv', b'application/jsonlines')
    """
    own = LINES_TYPE if content_type in (LINES_TYPE, CSV_TYPE) else JSON_TYPE
    for wanted in map(media_type, accept.split(b",")) if accept else ():
        if wanted in (JSON_TYPE, LINES_TYPE, CSV_TYPE):
            return LINES_TYPE if wanted == JSON_TYPE and own == LINES_TYPE else wanted
        if wanted in (b"*/*", b"application/*", UNTOLD):
            return own
    if accept:
        kinds = "application/json, application/jsonlines, text/csv"
        raise UnsupportedMedia(f"Expected Accept to name one of {kinds}, got {accept[:80].decode('latin-1')}")
    return own
