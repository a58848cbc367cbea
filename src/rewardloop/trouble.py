"""A failure that comes again and again, such as a full disk: said once, not five times a second into the same disk."""

from __future__ import annotations

import logging


class Trouble:
    """What fails by turns, in a log: when it begins, when it becomes another, when it is over.

    >>> log = logging.getLogger("doctest")
    >>> saving = Trouble(log, "Saving")
    >>> [saving.goes_on(OSError("disk full")), saving.goes_on(OSError("disk full")), saving.is_over(), saving.is_over()]
    [True, False, True, False]
    """

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._said = ""

    def goes_on(self, error: Exception) -> bool:
        """Whether that was news, and is in the log now."""
        news = str(error) != self._said
        if news:
            self._logger.error("%s failed and is tried again until it succeeds: %s", self._what, error)
        self._said = str(error)
        return news

    def is_over(self) -> bool:
        """Whether there was trouble until now."""
        said, self._said = self._said, ""
        if said:
            self._logger.warning("%s succeeds again", self._what)
        return bool(said)
