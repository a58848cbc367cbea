"""What SageMaker's clients understand: the error headers of the runtime service, and the plainer errors of a model container."""

from __future__ import annotations

from rewardloop.errors import RewardloopError
from rewardloop.serving.replies import JSON, Header, Reply, encode, hints

VARIANT = b"AllTraffic"
"""Every endpoint has this one production variant."""

SERVED_BY: Header = (b"x-amzn-invoked-production-variant", VARIANT)

_LOG = "The log is the standard error of `rewardloop serve`"
_THROTTLED = 429


class WrongRequest(RewardloopError):
    """Something in the path or the headers that cannot be served as it was asked."""

    code, title, status, exit_code = "wrong-request", "Wrong request", 400, 2


class NoModel(RewardloopError):
    """The experiment has a model, and it could not be loaded."""

    code, title, status = "no-model", "No model", 500


def refuse_at_endpoint(error: RewardloopError) -> Reply:
    """As the runtime service says it, so that boto3 raises the exception that its documentation names.

    What the caller can mend is `ValidationError` (400; 413 and 415 keep their number), 401 and 403 are `AccessDeniedException`,
    429 and 503 ask to come back, all else is `ModelError` (424) with what the model's side said.

    >>> reply = refuse_at_endpoint(RewardloopError("It broke"))
    >>> reply.status, dict(reply.headers)[b"x-amzn-errortype"]
    (424, b'ModelError')
    """
    status, text = error.status, str(error)
    if status in (401, 403):
        return _error(403, b"AccessDeniedException", text)
    if status in (_THROTTLED, 503):
        return _error(status, b"ServiceUnavailable" if status == 503 else b"ThrottlingException", text, *hints(error))
    if status < 500:
        return _error(status if status in (413, 415) else 400, b"ValidationError", text)
    return _model_error(status, text)


def refuse_in_container(error: RewardloopError) -> Reply:
    """As a model's container says it to whoever calls it directly: the status is the whole of it, and the body its sentence.

    >>> refuse_in_container(WrongRequest("Expected a name")).status
    400
    """
    status = error.status if error.status in (401, 403, 413, 415, 429) or error.status >= 500 else 400
    return Reply(encode({"error": str(error)}), status, (JSON, *hints(error)))


def _error(status: int, kind: bytes, text: str, *more: Header) -> Reply:
    return Reply(encode({"message": text}), status, (JSON, (b"x-amzn-errortype", kind), *more))


def _model_error(status: int, text: str) -> Reply:
    body = {
        "message": f"Received server error ({status}) from {VARIANT.decode()} with message: {text}",
        "OriginalStatusCode": status,
        "OriginalMessage": text,
        "LogStreamArn": _LOG,
    }
    return Reply(encode(body), 424, (JSON, (b"x-amzn-errortype", b"ModelError"), SERVED_BY))
