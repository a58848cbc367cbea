"""Whom an invocation is for, and how it is to be answered: read from the path and the headers, nothing ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewardloop.compat.sagemaker.replies import VARIANT, NoModel, WrongRequest
from rewardloop.compat.sagemaker.requests import JSON_TYPE, UNTOLD, media_type
from rewardloop.errors import UnknownExperiment
from rewardloop.events import MAX_EVENT_ID
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.serving.replies import Header
from rewardloop.serving.service import Service

NAME = b"x-rewardloop-experiment"
"""Names the experiment of `/invocations`, where there are several."""

_PREFIX = b"x-amzn-sagemaker-"
_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
_REFUSED = {
    b"x-amzn-sagemaker-target-model": "TargetModel: an endpoint hosts one model at a time, the experiment's",
    b"x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname: an endpoint has no containers",
    b"x-amzn-sagemaker-enable-explanations": "EnableExplanations: ask `rewardloop explain EXPERIMENT --event EVENT_ID`",
    b"x-amzn-sagemaker-inference-component": "InferenceComponentName: an endpoint has no components",
    b"x-amzn-sagemaker-session-id": "SessionId: decisions keep no session",
    b"x-amzn-sagemaker-prefix-aware-id": "PrefixAwareId: an endpoint has one instance to route to",
}


class Manner(NamedTuple):
    """How an invocation is sent and wants to be answered."""

    content_type: bytes = JSON_TYPE
    accept: bytes = b""
    event_id: str | None = None
    """What boto3 calls InferenceId: the client's own event id."""
    attributes: bytes = b""
    """Custom attributes, sent back as they came."""
    experiment: str | None = None


def manner(headers: Sequence[Header]) -> Manner:
    """Raises `WrongRequest` for what cannot be served here, naming it."""
    kind, accept, special = JSON_TYPE, b"", []
    for header in headers:
        name, value = header
        if name == b"content-type":
            kind = media_type(value)
        elif name == b"accept":
            accept = value
        elif name == NAME or name[:17] == _PREFIX:
            special.append(header)
    found = Manner(JSON_TYPE if kind == UNTOLD else kind, accept)
    for header in special:
        found = _special(found, *header)
    return found


def _special(found: Manner, name: bytes, value: bytes) -> Manner:
    if name == NAME:
        return found._replace(experiment=value.decode("latin-1"))
    if name in _REFUSED:
        raise WrongRequest(f"Not served here: {_REFUSED[name]}. Leave it out")
    if name == b"x-amzn-sagemaker-target-variant" and value != VARIANT:
        raise WrongRequest(f"Expected TargetVariant {VARIANT.decode()}, the only one, got `{value[:63].decode('latin-1')}`")
    if name == b"x-amzn-sagemaker-inference-id":
        return found._replace(event_id=_inference_id(value))
    if name == _ATTRIBUTES:
        return found._replace(attributes=value)
    if name != b"x-amzn-sagemaker-target-variant":
        raise WrongRequest(f"Not served here, and not known: the header {name[:80].decode('latin-1')}. Leave it out")
    return found


def _inference_id(value: bytes) -> str | None:
    """The client's own event id, as text: boto3 sends UTF-8, whatever else it is comes as Latin-1.

    >>> _inference_id("bestellung-ü/7".encode()), _inference_id("bestellung-ü/7".encode("latin-1")), _inference_id(b"")
    ('bestellung-ü/7', 'bestellung-ü/7', None)
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    if len(text) > MAX_EVENT_ID:
        raise WrongRequest(f"Expected an InferenceId of at most {MAX_EVENT_ID} characters, got {len(text)}")
    return text or None


async def endpoint(service: Service, name: str) -> ServedExperiment:
    """The experiment of an endpoint's name. Raises `UnknownExperiment` and `NoModel`."""
    try:
        return _with_model(service.known(name) or await service.experiment(name))
    except UnknownExperiment as error:
        raise UnknownExperiment(f"Endpoint {name[:64]} not found: an endpoint has the name of its experiment. {error}") from None


async def container(service: Service, name: str | None) -> ServedExperiment:
    """The experiment that `/invocations` means: the one that a header names, or the only one there is."""
    if name is not None:
        return await endpoint(service, name)
    if not service.experiments:
        await service.refresh_catalog()
    if len(service.experiments) != 1:
        known = ", ".join(sorted(service.experiments)[:8]) or "none is served"
        header = NAME.decode()
        raise WrongRequest(f"Expected the header {header}, or /endpoints/NAME/invocations, as there is not one experiment: {known}")
    return _with_model(next(iter(service.experiments.values())))


def _with_model(served: ServedExperiment) -> ServedExperiment:
    if not served.loaded:
        raise NoModel(f"No model of experiment `{served.settings.experiment}` could be loaded. {served.problem}")
    return served
