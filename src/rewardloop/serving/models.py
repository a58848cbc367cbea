"""From a model's id to a model in memory that may be served: verified, loaded and probed. Loads; hosts nothing."""

from __future__ import annotations

from pathlib import Path

from rewardloop.loop.deciding import Hosted, first_model
from rewardloop.loop.probing import probe
from rewardloop.policies import load_policy
from rewardloop.registry.models import ModelStore
from rewardloop.settings import ExperimentSettings


def load_model(settings: ExperimentSettings, models: Path, model_id: str) -> Hosted:
    """Raises `UnknownModel`, or `CorruptModel` where the files or the answers are not those of the manifest."""
    first = first_model(settings)
    if model_id == first.model_id:
        return first
    record, directory = ModelStore(models).open(model_id)
    policy = load_policy(directory)
    probe(policy, record)
    return Hosted(model_id, policy, record.settings.policy.floor)
