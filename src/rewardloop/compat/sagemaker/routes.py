"""The routes of the SageMaker dialect. `rewardloop serve` finds them by the entry point `rewardloop.dialects`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rewardloop.compat.sagemaker import hosting, s3
from rewardloop.compat.sagemaker.answers import ActionsAnswer, ArmAnswer, ModelIdAnswer, RewardAnswer
from rewardloop.compat.sagemaker.joined import BUCKET
from rewardloop.compat.sagemaker.replies import refuse_at_endpoint, refuse_in_container
from rewardloop.compat.sagemaker.requests import ACCEPTED, Body
from rewardloop.compat.sagemaker.signing import signed_or_plain
from rewardloop.serving.access import ADMIN, EITHER, OPEN
from rewardloop.serving.routes import MiB, Route

_ANSWER = ArmAnswer | ActionsAnswer | ModelIdAnswer | RewardAnswer
_ENDPOINT = "/endpoints/{name}"

_at_endpoint: Callable[..., Route] = partial(
    Route, refuse=refuse_at_endpoint, max_body=hosting.MAX_PAYLOAD_MB * MiB, access=EITHER, scheme=signed_or_plain
)
_in_container: Callable[..., Route] = partial(
    Route, refuse=refuse_in_container, max_body=hosting.MAX_PAYLOAD_MB * MiB, access=EITHER, scheme=signed_or_plain
)
_in_bucket: Callable[..., Route] = partial(
    Route, refuse=s3.refuse, accepts=frozenset(), body_required=False, access=ADMIN, scheme=signed_or_plain
)
_OBJECT = f"/{BUCKET}/{{experiment}}/joined/{{job}}/{{split}}/{{file}}"

ROUTES: tuple[Route, ...] = (
    _in_container(
        "GET", "/ping", hosting.ping, "Every model is loaded and every log takes writes", None, name="sagemaker_ping", access=OPEN
    ),
    _in_container(
        "GET",
        "/execution-parameters",
        hosting.execution_parameters,
        "What batch transform asks first",
        hosting.Parameters,
        access=OPEN,
        name="sagemaker_execution_parameters",
    ),
    _in_container(
        "POST",
        "/invocations",
        hosting.invoke_container,
        "Decide, reward, or ask for the model's id",
        _ANSWER,
        (Body,),
        accepts=ACCEPTED,
        body_required=False,
        name="sagemaker_invocations",
    ),
    _at_endpoint(
        "POST",
        f"{_ENDPOINT}/invocations",
        hosting.invoke_endpoint,
        "The same, by the name of the experiment",
        _ANSWER,
        (Body,),
        accepts=ACCEPTED,
        body_required=False,
        name="sagemaker_invoke_endpoint",
    ),
    _at_endpoint(
        "POST",
        f"{_ENDPOINT}/async-invocations",
        hosting.invoke_later,
        "Refused, with the reason",
        None,
        accepts=frozenset(),
        body_required=False,
        name="sagemaker_invoke_endpoint_async",
    ),
    _at_endpoint(
        "POST",
        f"{_ENDPOINT}/invocations-response-stream",
        hosting.invoke_streaming,
        "Refused, with the reason",
        None,
        accepts=frozenset(),
        body_required=False,
        name="sagemaker_invoke_endpoint_with_response_stream",
    ),
    _in_bucket("GET", f"/{BUCKET}", s3.list_objects, "List joined data, as S3 does", str, name="s3_list_objects"),
    _in_bucket("GET", _OBJECT, s3.get_object, "Read joined data, as S3 does", str, name="s3_get_object"),
    _in_bucket("PUT", _OBJECT, s3.refuse_write, "Refused: read only", None, name="s3_put_object"),
    _in_bucket("DELETE", _OBJECT, s3.refuse_write, "Refused: read only", None, name="s3_delete_object"),
)
