"""From a model's id to a model in memory that may be served: unpacked, loaded and probed. Loads; hosts nothing."""

from __future__ import annotations

from pathlib import Path

from rewardloop.errors import CorruptModel
from rewardloop.features import parse_actions, parse_context
from rewardloop.loop.deciding import Hosted, first_model_id
from rewardloop.policies import load_policy
from rewardloop.policies.contract import Policy
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.registry.records import GoldenRequest
from rewardloop.registry.store import ModelStore
from rewardloop.settings import ExperimentSettings

_TOLERANCE = 1e-6


def first_model(settings: ExperimentSettings) -> Hosted:
    """The uniform policy, until a model was trained."""
    return Hosted(first_model_id(settings.experiment), UniformPolicy(), settings.policy.floor)


def load_model(models: Path, model_id: str) -> Hosted:
    """Raises `UnknownModel`, or `CorruptModel` where the files or the answers are not those of the manifest."""
    record, directory = ModelStore(models).open(model_id)
    policy = load_policy(directory)
    for golden in record.golden:
        _probe(policy, golden, model_id)
    return Hosted(model_id, policy, record.settings.policy.floor)


def _probe(policy: Policy, golden: GoldenRequest, model_id: str) -> None:
    pmf = policy.pmf(parse_context(golden.context.encode()), parse_actions(golden.actions.encode()))
    if len(pmf) != len(golden.pmf) or any(abs(p - q) > _TOLERANCE for p, q in zip(pmf, golden.pmf, strict=True)):
        raise CorruptModel(
            f"Model `{model_id}` answers its golden request with {list(pmf)[:5]}, its trainer computed {list(golden.pmf)[:5]}"
        )
