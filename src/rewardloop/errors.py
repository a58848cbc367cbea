"""The exception tree. One mapping turns each class into an exit code and an RFC 9457 problem document.

RewardloopError
├── InvalidInput            422  2   a value the caller sent: says where (a JSON path), what was expected, what was found
│   ├── MalformedJson       400  2
│   ├── BodyTooLarge        413  2
│   ├── UnsupportedMedia    415  2   a content type, or a content encoding, that is not understood
│   └── InvalidSettings     422  2   a key, value or type in an experiment's YAML
├── Unauthorized            401  1   no API key, or one that nobody has, or that was revoked
├── Forbidden               403  1   a key that may not do this, or not to this experiment
├── TooManyRequests         429  1   over the rate limit: says when to come back
├── NotFound                404  1
│   ├── UnknownExperiment
│   ├── UnknownModel
│   ├── UnknownEvent
│   ├── UnknownKey
│   └── UnknownRun
├── Conflict                409  1   the request is right, the state is not (no model to roll back to, a data directory in use)
│   └── DirectoryInUse
├── Corrupt                 500  1   a file on disk does not hold what its manifest says
│   ├── CorruptModel
│   └── CorruptSegment
├── SimulatorFailed         500  1   a simulator ended, crashed or made no sense: quotes what it said
│   └── SimulatorHung                it did not answer in time, and was ended
├── MissingExtra            501  1   a package that comes with an extra is not installed: says how to install it
├── StorageUnavailable      503  1   disk full, directory read-only: nothing was acknowledged
├── TrainingFailed          500  1   a training ended without a policy: says which worker, and quotes its last words
└── Overloaded              503  1   more requests in flight than a worker holds: try again in a second
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RewardloopError(Exception):
    """Base of all errors raised on purpose. `str(error)` is one line a tired person understands.

    >>> InvalidInput("Expected a finite number, got `str`", at="$.reward").problem()
    {'type': 'urn:rewardloop:invalid-input', 'title': 'Invalid input', 'status': 422,
     'detail': 'Expected a finite number, got `str` - at `$.reward`', 'at': '$.reward'}
    """

    code = "error"
    title = "Error"
    status = 500
    exit_code = 1

    def __init__(self, message: str, *, at: str | None = None) -> None:
        self.at = at
        super().__init__(f"{message} - at `{at}`" if at else message)

    def problem(self) -> dict[str, str | int]:
        """The RFC 9457 members; `at` is ours: the JSON path of the offending value."""
        body: dict[str, str | int] = {
            "type": f"urn:rewardloop:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
        }
        return {**body, "at": self.at} if self.at else body


class InvalidInput(RewardloopError):
    code, title, status, exit_code = "invalid-input", "Invalid input", 422, 2


class MalformedJson(InvalidInput):
    code, title, status = "malformed-json", "Malformed JSON", 400


class BodyTooLarge(InvalidInput):
    code, title, status = "body-too-large", "Body too large", 413


class UnsupportedMedia(InvalidInput):
    code, title, status = "unsupported-media", "Unsupported media type", 415


class InvalidSettings(InvalidInput):
    code, title = "invalid-settings", "Invalid settings"


class Unauthorized(RewardloopError):
    code, title, status = "unauthorized", "Unauthorized", 401


class Forbidden(RewardloopError):
    code, title, status = "forbidden", "Forbidden", 403


class TooManyRequests(RewardloopError):
    """`retry_after_seconds`: when one more is let through."""

    code, title, status = "too-many-requests", "Too many requests", 429

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotFound(RewardloopError):
    code, title, status = "not-found", "Not found", 404


class UnknownExperiment(NotFound):
    code, title = "unknown-experiment", "Unknown experiment"


class UnknownModel(NotFound):
    code, title = "unknown-model", "Unknown model"


class UnknownEvent(NotFound):
    code, title = "unknown-event", "Unknown event"


class UnknownKey(NotFound):
    code, title = "unknown-key", "Unknown key"


class UnknownRun(NotFound):
    code, title = "unknown-run", "Unknown run"


class Conflict(RewardloopError):
    code, title, status = "conflict", "Conflict", 409


class DirectoryInUse(Conflict):
    code, title = "directory-in-use", "Directory in use"


class Corrupt(RewardloopError):
    code, title = "corrupt", "Corrupt file"


class CorruptModel(Corrupt):
    code, title = "corrupt-model", "Corrupt model"


class CorruptSegment(Corrupt):
    code, title = "corrupt-segment", "Corrupt log segment"


class SimulatorFailed(RewardloopError):
    code, title = "simulator-failed", "Simulator failed"


class SimulatorHung(SimulatorFailed):
    code, title = "simulator-hung", "Simulator hung"


class StorageUnavailable(RewardloopError):
    code, title, status = "storage-unavailable", "Storage unavailable", 503


class MissingExtra(RewardloopError):
    code, title, status = "missing-extra", "Missing extra", 501


class Overloaded(RewardloopError):
    code, title, status = "overloaded", "Overloaded", 503


class TrainingFailed(RewardloopError):
    code, title = "training-failed", "Training failed"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a clause, or nothing.

    >>> did_you_mean("epsilom", ["epsilon", "bag"])
    '; did you mean `epsilon`?'
    >>> did_you_mean("zzz", ["epsilon", "bag"])
    ''
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""
