"""The routes a server answers: its own, and those of the dialects that are installed (entry points `rewardloop.dialects`)."""

from __future__ import annotations

from importlib.metadata import entry_points

from rewardloop.serving.routes import ROUTES, Route


def all_routes() -> tuple[Route, ...]:
    """The native API first. A dialect's entry point names a tuple of `Route`s.

    >>> all_routes()[0].template
    '/v1/experiments/{experiment}/decide'
    """
    dialects = sorted(entry_points(group="rewardloop.dialects"), key=lambda dialect: dialect.name)
    return ROUTES + tuple(route for dialect in dialects for route in dialect.load())
