"""The routes of the Personalizer dialect, each under four paths. `rewardloop serve` finds them by their entry point."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rewardloop.compat.personalizer import administration, evaluations, models, ranking, requests, rewarding, shown
from rewardloop.compat.personalizer.administration import Policy
from rewardloop.compat.personalizer.archives import MAX_BYTES
from rewardloop.compat.personalizer.configuration import ServiceConfiguration
from rewardloop.compat.personalizer.replies import refuse
from rewardloop.compat.personalizer.target import Handler, handle
from rewardloop.serving.access import ADMIN, DECIDE, EITHER, REWARD, Access
from rewardloop.serving.bodies import JSON_TYPES
from rewardloop.serving.routes import MiB, Route

_SERVICE, _POLICY = "/configurations/service", "/configurations/policy"
_EVALUATION, _IMPORTANCE = "/evaluations/{evaluation_id}", "/featureImportances/{feature_importance_id}"
_OCTETS = frozenset({b"application/octet-stream"})


class Operation(NamedTuple):
    """One operation; its path is below `personalizer`."""

    method: str
    path: str
    handler: Handler
    summary: str
    answer: object = None
    requests: tuple[type, ...] = ()
    body_required: bool = False
    accepts: frozenset[bytes] = frozenset()
    max_body: int = MiB
    access: Access = ADMIN
    """As of a `Route`."""


OPERATIONS = (
    Operation(
        "POST",
        "/rank",
        ranking.rank,
        "Rank actions",
        ranking.RankAnswer,
        (requests.RankBody,),
        True,
        JSON_TYPES,
        access=DECIDE,
    ),
    Operation(
        "POST",
        "/events/{event_id}/reward",
        rewarding.reward,
        "Reward",
        None,
        (requests.RewardBody,),
        True,
        JSON_TYPES,
        access=REWARD,
    ),
    Operation("POST", "/events/{event_id}/activate", rewarding.activate, "Let a deferred event count", access=EITHER),
    Operation(
        "POST",
        "/multislot/rank",
        ranking.rank_slots,
        "Fill slots",
        ranking.SlotsAnswer,
        (requests.SlotsBody,),
        True,
        JSON_TYPES,
        access=DECIDE,
    ),
    Operation(
        "POST",
        "/multislot/events/{event_id}/reward",
        rewarding.reward_slots,
        "Reward slots of an event",
        None,
        (requests.SlotsRewardBody,),
        True,
        JSON_TYPES,
        access=REWARD,
    ),
    Operation("POST", "/multislot/events/{event_id}/activate", rewarding.activate, "Let a deferred event count", access=EITHER),
    Operation("GET", _SERVICE, administration.get_configuration, "Service configuration", ServiceConfiguration),
    Operation(
        "PUT",
        _SERVICE,
        administration.put_configuration,
        "Change it",
        ServiceConfiguration,
        (ServiceConfiguration,),
        True,
        JSON_TYPES,
    ),
    Operation("GET", _POLICY, administration.get_policy, "The policy as Vowpal Wabbit's arguments", Policy),
    Operation("PUT", _POLICY, administration.put_policy, "Change it", Policy, (Policy,), True, JSON_TYPES),
    Operation("DELETE", _POLICY, administration.delete_policy, "Back to the default", Policy),
    Operation("GET", "/model", models.get_model, "The hosted model as a file", bytes),
    Operation("PUT", "/model", models.put_model, "Take a model in and host it", None, (), True, _OCTETS, MAX_BYTES),
    Operation("DELETE", "/model", models.delete_model, "Back to the first model"),
    Operation("GET", "/model/properties", models.get_model_properties, "Its dates", models.ModelProperties),
    Operation("GET", "/logs/properties", models.get_log_properties, "The log's dates", models.LogProperties),
    Operation("DELETE", "/logs", models.delete_logs, "Delete all that was recorded until now"),
    Operation(
        "POST",
        "/configurations/applyFromEvaluation",
        evaluations.apply_from_evaluation,
        "Take the policy of an evaluation",
        None,
        (evaluations.ApplyBody,),
        True,
        JSON_TYPES,
    ),
    Operation("GET", "/evaluations", evaluations.list_evaluations, "All evaluations", evaluations.Listed),
    Operation(
        "POST",
        "/evaluations",
        evaluations.post_evaluation,
        "Begin one",
        shown.EvaluationV1,
        (evaluations.EvaluationBody,),
        True,
        JSON_TYPES,
    ),
    Operation("PUT", _EVALUATION, evaluations.put_evaluation, "Begin one", None, (evaluations.EvaluationBody,), True, JSON_TYPES),
    Operation("GET", _EVALUATION, evaluations.get_evaluation, "What it found", shown.Evaluation),
    Operation("DELETE", _EVALUATION, evaluations.delete_evaluation, "Delete it"),
    Operation("GET", "/featureImportances", evaluations.list_importances, "All feature importances", evaluations.Listed),
    Operation("PUT", _IMPORTANCE, evaluations.put_importance, "Begin one", None, (evaluations.ImportanceBody,), True, JSON_TYPES),
    Operation("GET", _IMPORTANCE, evaluations.get_importance, "What it found", evaluations.FeatureImportance),
    Operation("DELETE", _IMPORTANCE, evaluations.delete_importance, "Delete it"),
)


def _routes() -> Iterator[Route]:
    """Paths without a version first: `multislot` is none."""
    for versioned in (False, True):
        for operation in OPERATIONS:
            yield _route(operation, named=False, versioned=versioned)
            yield _route(operation, named=True, versioned=versioned)


def _route(operation: Operation, *, named: bool, versioned: bool) -> Route:
    prefix = f"{'/experiments/{experiment}' if named else ''}/personalizer{'/{version}' if versioned else ''}"
    return Route(
        operation.method,
        prefix + operation.path,
        handle(operation.handler, named=named, versioned=versioned),
        operation.summary,
        operation.answer,
        operation.requests,
        operation.max_body,
        operation.body_required,
        refuse,
        operation.accepts,
        f"personalizer_{operation.handler.__name__}",
        operation.access,
    )


ROUTES: tuple[Route, ...] = tuple(_routes())
