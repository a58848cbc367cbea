"""A disk that is full for a night must not be filled further by its own complaint."""

from __future__ import annotations

import logging

import pytest

from rewardloop.trouble import Trouble


def test_a_failure_is_said_once_and_again_when_it_changes_or_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    saving = Trouble(logging.getLogger("test"), "saving")
    for error in ("full", "full", "read-only", "read-only", "full"):
        saving.goes_on(OSError(error))
    assert saving.is_over()
    assert not saving.is_over()
    saving.goes_on(OSError("full"))
    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == ["full", "read-only", "full", "again", "full"]
