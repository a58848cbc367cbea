"""Which experiment a call is for, and whether its version of the service is one of those that are spoken here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import parse_qs

from rewardloop.compat.personalizer.replies import Unsupported
from rewardloop.errors import NotFound, StorageUnavailable, UnknownExperiment, did_you_mean
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.serving.handlers import Call
from rewardloop.serving.replies import Reply
from rewardloop.serving.service import Service

PATH_VERSIONS = ("v1.0", "v1.1-preview.1", "v1.1-preview.2", "v1.1-preview.3")
API_VERSION = "2022-09-01-preview"

_USUAL_QUERY = b"api-version=2022-09-01-preview"


class Asked(NamedTuple):
    """A call to one experiment; `parameters` are those of the path below `personalizer`."""

    call: Call
    served: ServedExperiment
    parameters: tuple[str, ...]
    versioned: bool
    """Whether the path names a version (`v1.0`, …); otherwise it is the dialect of 2022-09."""


Handler = Callable[[Asked], Awaitable[Reply]]
Handle = Callable[[Call], Awaitable[Reply]]


def handle(handler: Handler, *, named: bool, versioned: bool) -> Handle:
    """A handler for a path that does or does not begin with `/experiments/NAME`, and with a version after `personalizer`."""
    skipped = named + versioned

    async def answer(call: Call) -> Reply:
        if versioned:
            _check_path_version(call.parameters[named])
        if call.query and call.query != _USUAL_QUERY:
            _check_query_version(call.query)
        served = await _named(call.service, call.parameters[0]) if named else await _only(call.service)
        return await handler(Asked(call, _ready(served), call.parameters[skipped:], versioned))

    return answer


def _check_path_version(version: str) -> None:
    if version not in PATH_VERSIONS:
        known = f"{', '.join(PATH_VERSIONS)}, or none and ?api-version={API_VERSION}"
        near = did_you_mean(version[:40], PATH_VERSIONS)
        raise NotFound(f"Unknown version `{version[:40]}` in the path; known are {known}{near}")


def _check_query_version(query: bytes) -> None:
    for version in parse_qs(query.decode("latin-1")).get("api-version", ()):
        if version not in (API_VERSION, *PATH_VERSIONS):
            raise Unsupported(f"Unknown api-version `{version[:40]}`: expected {API_VERSION}", at="api-version")


async def _named(service: Service, name: str) -> ServedExperiment:
    try:
        return service.known(name) or await service.experiment(name)
    except UnknownExperiment as error:
        message = f"{error} (the endpoint is http://HOST/experiments/NAME, with the name of an experiment that is served)"
        raise UnknownExperiment(message) from None


async def _only(service: Service) -> ServedExperiment:
    """The only experiment there is."""
    if not service.experiments:
        await service.refresh_catalog()
    if len(service.experiments) != 1:
        known = ", ".join(sorted(service.experiments)[:8]) or "none is served"
        raise UnknownExperiment(f"Expected the endpoint http://HOST/experiments/NAME, as there is not one experiment: {known}")
    return next(iter(service.experiments.values()))


def _ready(served: ServedExperiment) -> ServedExperiment:
    if not served.loaded:
        raise StorageUnavailable(f"No model of experiment `{served.settings.experiment}` could be loaded. {served.problem}")
    return served
