"""What the registry keeps: a model's manifest, the history of what was hosted, the evaluations that decided it."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
from msgspec.structs import replace

from rewardloop.errors import InvalidInput
from rewardloop.settings import ExperimentSettings, read_hook, write_hook

TAKEN_IN = "simulator:"
"""What `dataset` begins with where a model was not trained from the log; the run and its step follow."""


class GoldenRequest(msgspec.Struct, frozen=True):
    """A request with the answer the trainer computed: a copy of the model that answers otherwise is never served."""

    context: str
    actions: str
    pmf: tuple[float, ...]
    values: tuple[float, ...] = ()
    """Over a box: what it takes without exploring."""


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

    @property
    def is_taken_in(self) -> bool:
        """Trained elsewhere, in a simulator: no log makes it again, and none of its children learn from where it stood."""
        return self.dataset.startswith(TAKEN_IN)


def with_exploration(settings: ExperimentSettings) -> ExperimentSettings:
    """Settings as a model remembers them: the policy that explores is named, so that another default does not make it another."""
    return replace(settings, policy=replace(settings.policy, exploration=settings.exploration))


def _remembered(record: ModelRecord) -> ModelRecord:
    """A record from before models remembered it: then actions of requests meant `regcbopt`, unless rankings learned from clicks."""
    settings = record.settings
    if settings.policy.exploration is not None or settings.actions is not None or settings.ranking.feedback != "all":
        return record
    return replace(record, settings=replace(settings, policy=replace(settings.policy, exploration="regcbopt")))


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history of what was hosted when."""

    experiment: str
    model_id: str
    deployed_at: int
    reason: str
    """`first`, `gate`, `rollout`, `apprentice`, `manual`, `roll back`, `online`."""


class RolloutStep(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history of trials: a challenger began, served more, was promoted, or was taken back."""

    experiment: str
    trial: int
    """The instant the trial began; names it."""
    champion: str
    """What was hosted when the trial began. Where another model is hosted by now, the trial is over."""
    challenger: str
    at: int
    """Microseconds UTC."""
    kind: Literal["shadow", "canary", "ramp", "ab", "hold back", "promote", "abort", "roll back"]
    """What is so from now on; the last three end the trial."""
    by: Literal["loop", "hand"]
    """Who began it: only the loop's own trials, and ramps, end in promotion by themselves."""
    share: float = 0.0
    scored: float = 1.0
    sticky: str = ""
    shares: tuple[float, ...] = ()
    """ramp: those still to come."""
    reason: str = ""
    numbers: dict[str, float] = {}
    """What decided it; empty where nothing had to be known."""

    @property
    def is_open(self) -> bool:
        return self.kind in {"shadow", "canary", "ramp", "ab", "hold back"}


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement of a candidate, as it was made."""

    experiment: str
    candidate: str
    hosted: str | None
    """The model it was compared with; None where there was none."""
    evaluated_at: int
    verdict: str
    report: msgspec.Raw
    """JSON: everything the gate looked at."""


class ExperimentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog knows of an experiment."""

    name: str
    tag: int
    """1 to 4095, in every event id of the experiment; never given to another."""
    settings: ExperimentSettings
    created_at: int


def record_to_json(record: ModelRecord) -> bytes:
    """The manifest as `model.json` and the catalog hold it; raises `InvalidInput` for numbers that JSON has no word for."""
    numbers = {**record.metrics, **{f"golden[{i}]": sum(golden.pmf) for i, golden in enumerate(record.golden)}}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise InvalidInput(f"Expected finite numbers in a model's manifest, got `{value}` for `{name}`")
    return msgspec.json.encode(record, enc_hook=write_hook)


def record_from_json(raw: bytes | str) -> ModelRecord:
    """Reads what `record_to_json` wrote; raises `InvalidInput`."""
    try:
        return _remembered(msgspec.json.decode(raw, type=ModelRecord, dec_hook=read_hook))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidInput(f"Expected the manifest of a model, got something else: {error}") from None
