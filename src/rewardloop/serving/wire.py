"""What the HTTP API carries beyond the two requests of `loop`: batches, and the answers. `/openapi.json` is made from these."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.rewarding import RewardRequest
from rewardloop.registry.records import Deployment, Evaluation, RolloutStep

MAX_BATCH = 1_000


class SlotAnswer(msgspec.Struct, frozen=True, gc=False):
    slot: str
    """Its id, or the position in a ranking, from `1`."""
    action: str
    index: int
    """Position of the action among the offered ones, from 0."""
    probability: float
    """Given what the slots above show."""


class DecideAnswer(msgspec.Struct, frozen=True, gc=False):
    event_id: str
    """Send it with the reward."""
    action: str
    index: int
    """Position of the action among the offered ones, from 0."""
    probability: float
    """The probability the action was sampled with."""
    model_id: str
    slots: list[SlotAnswer] | UnsetType = UNSET
    """Where `top_k` or `slots` were asked for: from the first to the last; the fields above are then those of the first."""
    values: tuple[float, ...] | UnsetType = UNSET
    """Where the action is continuous: what was chosen."""
    density: float | UnsetType | None = UNSET
    """The density that `values` was drawn with; null where it was not drawn (`explore: false`)."""


class DecideBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    actions: msgspec.Raw | UnsetType = UNSET
    """Offered to every request that names none itself: a catalogue is sent and read once."""
    requests: Annotated[list[DecideRequest], Meta(min_length=1, max_length=MAX_BATCH)]


class DecideBatchAnswer(msgspec.Struct, frozen=True):
    decisions: list[DecideAnswer]
    """In the order of the requests."""


class RewardBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All are recorded, or none."""

    rewards: Annotated[list[RewardRequest], Meta(min_length=1, max_length=MAX_BATCH)]


class RewardsAnswer(msgspec.Struct, frozen=True):
    accepted: int


class ActivateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    experiment: str | None = None
    """Needed only where the event id is the client's own."""


class ActivateAnswer(msgspec.Struct, frozen=True):
    event_id: str
    experiment: str


class ExperimentView(msgspec.Struct, frozen=True):
    name: str
    model_id: str
    """The model that the answering worker serves."""
    settings: dict[str, Any]
    """As in the experiment's YAML, every default spelled out."""


class ExperimentsView(msgspec.Struct, frozen=True):
    experiments: list[ExperimentView]


class ModelView(msgspec.Struct, frozen=True):
    """The manifest of a model, without its settings and golden requests."""

    model_id: str
    parent: str | None
    created_at: int
    """Microseconds UTC."""
    watermark: int
    dataset: str
    n_trained: int
    metrics: dict[str, float]


class ModelsView(msgspec.Struct, frozen=True):
    models: list[ModelView]


class DeploymentsView(msgspec.Struct, frozen=True):
    deployments: list[Deployment]


class RolloutsView(msgspec.Struct, frozen=True):
    rollouts: list[RolloutStep]
    """Oldest first: what became of challengers, each with the numbers that decided it."""


class EvaluationsView(msgspec.Struct, frozen=True):
    evaluations: list[Evaluation]


class Health(msgspec.Struct, frozen=True):
    status: str


class ExperimentReadiness(msgspec.Struct, frozen=True):
    ready: bool
    model_id: str
    problem: str
    """What is wrong, even where the experiment is served all the same; empty where nothing is."""


class Readiness(msgspec.Struct, frozen=True):
    ready: bool
    experiments: dict[str, ExperimentReadiness]
