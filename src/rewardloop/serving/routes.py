"""The one table of routes: the application dispatches by it, `/openapi.json` and the tests read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.rewarding import RewardRequest
from rewardloop.errors import RewardloopError
from rewardloop.serving import documents, handlers
from rewardloop.serving.access import ADMIN, DECIDE, EITHER, OPEN, REWARD, Access
from rewardloop.serving.bodies import JSON_TYPES
from rewardloop.serving.handlers import Call
from rewardloop.serving.keyring import Scheme, plain_key
from rewardloop.serving.replies import Reply, problem
from rewardloop.serving.wire import (
    ActivateAnswer,
    ActivateRequest,
    DecideAnswer,
    DecideBatch,
    DecideBatchAnswer,
    DeploymentsView,
    EvaluationsView,
    ExperimentsView,
    ExperimentView,
    Health,
    ModelsView,
    Readiness,
    RewardBatch,
    RewardsAnswer,
    RolloutsView,
)

Handle = Callable[[Call], Awaitable[Reply]]

MiB = 1 << 20


@dataclass(frozen=True)
class Route:
    """One method of one path. `template` has its parameters in braces."""

    method: str
    template: str
    handle: Handle
    summary: str
    answer: object
    """The type of the answer; `str` for text."""
    requests: tuple[type, ...] = ()
    """The types that the body may be of."""
    max_body: int = MiB
    body_required: bool = True
    refuse: Callable[[RewardloopError], Reply] = problem
    """How an error is said: a problem document, or what a foreign dialect's clients understand."""
    accepts: frozenset[bytes] = JSON_TYPES
    """Content types of the body; empty: any."""
    name: str = ""
    """For metrics and OpenAPI; by default the handler's."""
    access: Access = ADMIN
    """The roles that may call it, where keys are asked for: whoever forgets to say opens nothing."""
    scheme: Scheme = plain_key
    """How its clients say who they are."""
    browser: bool = False
    """Whether pages of the configured origins may call it."""

    @cached_property
    def operation(self) -> str:
        """A name for metrics and OpenAPI."""
        return self.name or self.handle.__name__


ROUTES = (
    Route(
        "POST",
        "/v1/experiments/{experiment}/decide",
        handlers.decide,
        "Choose an action",
        DecideAnswer,
        (DecideRequest,),
        4 * MiB,
        access=DECIDE,
        browser=True,
    ),
    Route(
        "POST",
        "/v1/experiments/{experiment}/decide/batch",
        handlers.decide_batch,
        "Choose an action for each of up to 1,000 requests",
        DecideBatchAnswer,
        (DecideBatch,),
        4 * MiB,
        access=DECIDE,
        browser=True,
    ),
    Route(
        "POST",
        "/v1/rewards",
        handlers.reward,
        "Record one reward, or many: all of them or none",
        RewardsAnswer,
        (RewardRequest, RewardBatch),
        4 * MiB,
        access=REWARD,
        browser=True,
    ),
    Route(
        "POST",
        "/v1/events/{event_id}/activate",
        handlers.activate,
        "Let a deferred event count",
        ActivateAnswer,
        (ActivateRequest,),
        body_required=False,
        access=EITHER,
        browser=True,
    ),
    Route("GET", "/v1/experiments", handlers.experiments, "All experiments", ExperimentsView, access=ADMIN),
    Route("GET", "/v1/experiments/{experiment}", handlers.experiment, "One experiment", ExperimentView, access=ADMIN),
    Route("GET", "/v1/experiments/{experiment}/models", handlers.models, "Its models", ModelsView, access=ADMIN),
    Route(
        "GET",
        "/v1/experiments/{experiment}/evaluations",
        handlers.evaluations,
        "What decided the gates",
        EvaluationsView,
        access=ADMIN,
    ),
    Route(
        "GET",
        "/v1/experiments/{experiment}/deployments",
        handlers.deployments,
        "What was hosted when",
        DeploymentsView,
        access=ADMIN,
    ),
    Route(
        "GET",
        "/v1/experiments/{experiment}/rollouts",
        handlers.rollouts,
        "What was tried on traffic, and what became of it",
        RolloutsView,
        access=ADMIN,
    ),
    Route("GET", "/healthz", handlers.health, "The process lives", Health, access=OPEN),
    Route("GET", "/readyz", handlers.readiness, "Every experiment can be served; 503 otherwise", Readiness, access=OPEN),
    Route("GET", "/metrics", documents.metrics, "Prometheus metrics, summed over all workers", str, access=ADMIN),
    Route("GET", "/openapi.json", documents.openapi_json, "This description", dict[str, Any], access=OPEN),
)

_CACHED_PATHS = 1_024


@dataclass(frozen=True, slots=True)
class Match:
    """The routes of one path, by method, and the path's parameters."""

    routes: dict[str, Route]
    parameters: tuple[str, ...]


class Router:
    """Finds the routes of a raw (percent-encoded) path, so that an event id may hold a slash. The first part is no parameter.

    >>> found = Router(ROUTES).find(b"/v1/events/order%2F17/activate")
    >>> found.parameters, list(found.routes)
    (('order/17',), ['POST'])
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._templates: dict[tuple[int, str], dict[tuple[str, ...], dict[str, Route]]] = {}
        for route in routes:
            template = tuple(route.template.split("/"))
            alike = self._templates.setdefault((len(template), template[1]), {})
            alike.setdefault(template, {})[route.method] = route
        self._cache: dict[bytes, Match] = {}

    def find(self, raw_path: bytes) -> Match | None:
        return self._cache.get(raw_path) or self._find(raw_path)

    def _find(self, raw_path: bytes) -> Match | None:
        parts = raw_path.decode("latin-1").split("/")
        alike = self._templates.get((len(parts), parts[1]), {}) if len(parts) > 1 else {}
        for template, routes in alike.items():
            if (parameters := _parameters(template, parts)) is not None:
                found = Match(routes, parameters)
                self._remember(raw_path, found)
                return found
        return None

    def _remember(self, raw_path: bytes, found: Match) -> None:
        if len(self._cache) >= _CACHED_PATHS:
            self._cache.clear()
        self._cache[raw_path] = found


def _parameters(template: Sequence[str], parts: Sequence[str]) -> tuple[str, ...] | None:
    if len(template) != len(parts):
        return None
    pairs = list(zip(template, parts, strict=True))
    if any(wanted != part for wanted, part in pairs if not wanted.startswith("{")):
        return None
    return tuple(unquote(part) for wanted, part in pairs if wanted.startswith("{"))
