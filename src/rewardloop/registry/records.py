"""What the registry keeps: a model's manifest, the history of what was hosted, the evaluations that decided it."""

from __future__ import annotations

import msgspec

from rewardloop.settings import ExperimentSettings


class GoldenRequest(msgspec.Struct, frozen=True):
    """A request with the answer the trainer computed: a copy of the model that answers otherwise is never served."""

    context: str
    actions: str
    pmf: tuple[float, ...]


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of one immutable model (`model.json` beside its weights). Everything needed to make it again from the log."""

    model_id: str
    """`{experiment}.{n}`, n counting from 1."""
    experiment: str
    parent: str | None
    created_at: int
    """Microseconds UTC."""
    watermark: int
    """Every event that closed at or before this instant has been learned from; the child continues after it."""
    dataset: str
    """Fingerprint of the data set at the watermark."""
    n_trained: int
    settings: ExperimentSettings
    metrics: dict[str, float]
    golden: tuple[GoldenRequest, ...]
    files: dict[str, str]
    """File name → SHA-256, of everything beside the manifest."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history of what was hosted when."""

    experiment: str
    model_id: str
    deployed_at: int
    reason: str
    """`first`, `gate`, `manual`, `roll back`, `online`."""
