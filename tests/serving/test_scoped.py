"""The view of one key is complete: nothing of the service is reached past it."""

from __future__ import annotations

from rewardloop.serving.scoped import ScopedService
from rewardloop.serving.service import Service

OF_THE_WORKER = {"start", "close", "refresh_models", "save_trials", "turn_over"}
"""What only whoever owns the service calls."""
MADE_OF_OTHERS = {"activate"}


def test_whatever_the_service_offers_the_view_decides_about() -> None:
    offered = {name for name in vars(Service) if not name.startswith("_")}
    assert offered - set(vars(ScopedService)) == OF_THE_WORKER | MADE_OF_OTHERS
