"""A Personalizer resource's configuration and policy, as files, become the settings of an experiment. Pure."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from rewardloop.compat.personalizer.administration import Policy, with_policy
from rewardloop.compat.personalizer.configuration import ServiceConfiguration, configured
from rewardloop.compat.personalizer.policies import parse_policy
from rewardloop.compat.personalizer.share import share
from rewardloop.serving.reading import decode
from rewardloop.settings import ExperimentSettings, RewardSettings

_configuration = msgspec.json.Decoder(ServiceConfiguration)
_policy = msgspec.json.Decoder(Policy)


def imported(name: str, config: bytes, policy: bytes | None) -> tuple[ExperimentSettings, list[str]]:
    """The settings, and what of the resource has no counterpart here. Raises `InvalidInput`.

    Events close with their window, as the service's did, where no reward means the default one.
    """
    wanted = decode(_configuration, config)
    kept, notes = _without_counterpart(wanted)
    reward = RewardSettings(range=(min(-1.0, wanted.default_reward), max(1.0, wanted.default_reward)), closes="window")
    settings = configured(ExperimentSettings(experiment=name, reward=reward), kept)
    if policy is None:
        return settings, notes
    said = decode(_policy, policy)
    floor = settings.policy.floor
    settings = with_policy(settings, parse_policy(said.arguments, floor, "$.arguments"))
    return _explored_once(settings, floor, notes), notes


def _explored_once(settings: ExperimentSettings, floor: float, notes: list[str]) -> ExperimentSettings:
    """`explorationPercentage` and `--epsilon` were one share: where they differ, the larger one."""
    if settings.exploration != "egreedy":
        return settings
    if settings.policy.floor < floor:
        settings = with_policy(settings, replace(settings.policy, floor=floor))
    random, rest = share(settings), settings.policy.epsilon
    notes.append(
        f"--epsilon: with explorationPercentage {random:.3g} of decisions are random, in all; policy.epsilon is {rest:.3g}"
    )
    return settings


def _without_counterpart(wanted: ServiceConfiguration) -> tuple[ServiceConfiguration, list[str]]:
    """A resource that ran with these cannot be asked to change them: they are left out, and said."""
    notes = []
    if wanted.is_auto_optimization_enabled:
        notes.append("isAutoOptimizationEnabled: nothing optimises the policy by itself here; `rewardloop search` proposes one")
    if wanted.log_mirror_enabled or wanted.log_mirror_sas_uri:
        notes.append("logMirrorEnabled: logs are not mirrored to Azure storage; `rewardloop export` writes them")
    if wanted.model_retrain_days:
        notes.append("modelRetrainDays: a model that is trained anew learns from all that is in the lake")
    return (
        replace(
            wanted, is_auto_optimization_enabled=False, log_mirror_enabled=False, log_mirror_sas_uri=None, model_retrain_days=0
        ),
        notes,
    )
