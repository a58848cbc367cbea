"""What Personalizer's SDKs understand: errors with a code they know, and answers whose status they insist on."""

from __future__ import annotations

import msgspec

from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.serving.replies import JSON, Reply, encode, hints

NO_CONTENT = Reply(b"", 204, ())

_CODES = {
    400: "BadRequest", 401: "401", 403: "403", 404: "ResourceNotFound", 409: "Conflict", 429: "TooManyRequests",
}  # fmt: skip


class InnerError(msgspec.Struct, frozen=True):
    code: str
    """The finer one: ours."""


class Error(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    code: str
    message: str
    target: str | None = None
    """JSON path of what is wrong."""
    inner_error: InnerError | None = None


class ErrorAnswer(msgspec.Struct, frozen=True):
    error: Error


class Unsupported(InvalidInput):
    """Something that Personalizer had, and that is not served here; the message says why, and what is instead."""

    code, title, status = "unsupported", "Unsupported", 400


def refuse(error: RewardloopError) -> Reply:
    """As the service said it: what the caller can mend is 400, so that each SDK raises the exception that it documents.

    >>> reply = refuse(InvalidInput("Expected at most 50 actions, got 51", at="$.actions"))
    >>> reply.status, msgspec.json.decode(reply.body)["error"]["code"]
    (400, 'BadRequest')
    """
    status = 400 if error.status in (400, 422) else error.status
    code = _CODES.get(status, "InternalServerError" if status >= 500 else "BadRequest")
    told = Error(code, str(error), error.at, InnerError(error.code))
    return Reply(encode(ErrorAnswer(told)), status, (JSON, *hints(error)))
