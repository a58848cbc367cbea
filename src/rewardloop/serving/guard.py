"""The door: who is calling, whether they may, and whether too often. Everything that is answered passes here, in any dialect."""

from __future__ import annotations

from typing import NamedTuple

from rewardloop.clock import Clock
from rewardloop.errors import RewardloopError
from rewardloop.serving.access import ANYBODY, NOBODY, OPEN, Caller, Request, check_role
from rewardloop.serving.browsers import Browsers
from rewardloop.serving.keyring import Keyring
from rewardloop.serving.limits import RateLimit
from rewardloop.serving.routes import Route
from rewardloop.serving.scoped import ScopedService
from rewardloop.serving.service import Service


class Admitted(NamedTuple):
    """A caller and what of the service is its to use."""

    caller: Caller
    service: Service


class Guard:
    """Asks for no key until it is given some (`use`). Until then `browsers` says for whose pages a browser may ask."""

    def __init__(self, service: Service, clock: Clock, limit: RateLimit | None = None, browsers: Browsers | None = None) -> None:
        self._service = service
        self._now = clock.now
        self._limit = limit
        self._browsers = browsers
        self._anybody = Admitted(ANYBODY, service)
        self.use(Keyring())

    def use(self, keyring: Keyring) -> None:
        """These keys from now on."""
        self._keyring = keyring
        self._asks = keyring.on or self._limit is not None
        # A page of another site has no key, and without the server's leave it cannot send one.
        self._look = self._browsers.check if self._browsers is not None and not keyring.on else None
        self._views: dict[frozenset[str], Service] = {}

    def admit(self, route: Route, request: Request) -> Admitted:
        """Raises `Unauthorized`, `Forbidden`, `TooManyRequests`, or what the route's scheme raises."""
        if self._look is not None:
            self._look(route, request.headers)
        return self._admit(route, request) if self._asks else self._anybody

    def _admit(self, route: Route, request: Request) -> Admitted:
        now = self._now()
        try:
            caller = route.scheme(request, self._keyring, now) if self._keyring.on else ANYBODY
        except RewardloopError:
            if route.access == OPEN:
                return Admitted(NOBODY, self._view(frozenset()))
            self._count(request.address, now)
            raise
        if route.access != OPEN:
            self._count(caller.key_id or request.address, now)
        check_role(caller, route.access)
        return Admitted(caller, self._service if caller.experiments is None else self._view(caller.experiments))

    def _count(self, caller: str, now: int) -> None:
        if self._limit is not None:
            self._limit.take(caller, now)

    def _view(self, scope: frozenset[str]) -> Service:
        """One for each scope: there are no more than keys."""
        if scope not in self._views:
            self._views[scope] = ScopedService(self._service, scope)
        return self._views[scope]
