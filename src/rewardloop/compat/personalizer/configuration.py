"""Personalizer's service configuration, and the settings of an experiment that say the same. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Raw
from msgspec.structs import replace

from rewardloop.clock import SECOND
from rewardloop.compat.personalizer import durations
from rewardloop.compat.personalizer.kept import Kept
from rewardloop.compat.personalizer.replies import Unsupported
from rewardloop.compat.personalizer.share import share, with_share
from rewardloop.errors import InvalidSettings
from rewardloop.settings import Aggregation, Duration, ExperimentSettings, checked
from rewardloop.settings.durations import LONGEST

_DAY = 86_400 * SECOND
_MODES = {"Online": "online", "Apprentice": "apprentice", "LoggingOnly": "logging_only"}
_THEIR_MODES = {ours: theirs for theirs, ours in _MODES.items()}
_NO_AUTO = "Nothing optimises the policy by itself here: `rewardloop search` proposes one. Set it to false"
_NO_MIRROR = "Logs are not mirrored to Azure storage: `rewardloop export` writes them. Leave it out"


class ServiceConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Every key that the service had."""

    reward_wait_time: str
    default_reward: float
    reward_aggregation: Aggregation
    exploration_percentage: Annotated[float, Meta(ge=0, le=1)]
    model_export_frequency: str
    log_retention_days: Annotated[int, Meta(ge=-1, le=3_650)]
    model_retrain_days: int = 0
    learning_mode: str | None = None
    is_auto_optimization_enabled: bool | None = None
    auto_optimization_frequency: str | None = None
    auto_optimization_start_date: str | None = None
    last_configuration_edit_date: str | None = None
    latest_apprentice_mode_metrics: Raw = Raw(b"null")
    log_mirror_enabled: bool | None = None
    log_mirror_sas_uri: str | None = None


def configured(settings: ExperimentSettings, wanted: ServiceConfiguration) -> ExperimentSettings:
    """The settings, changed to what is wanted. Raises `Unsupported` and `InvalidInput` with the key's place.

    What the service computes (`lastConfigurationEditDate`, `latestApprenticeModeMetrics`) may be sent back, and says nothing.
    """
    _refuse_what_is_not(wanted)
    changed = replace(
        settings,
        mode=_mode(wanted.learning_mode) if wanted.learning_mode is not None else settings.mode,
        policy=with_share(settings, wanted.exploration_percentage),
        reward=replace(
            settings.reward,
            window=durations.parse(wanted.reward_wait_time, "$.rewardWaitTime"),
            default=wanted.default_reward,
            aggregation=wanted.reward_aggregation,
        ),
        training=replace(settings.training, every=durations.parse(wanted.model_export_frequency, "$.modelExportFrequency")),
        log=replace(settings.log, retention=_retention(wanted.log_retention_days)),
    )
    try:
        return checked(changed)
    except InvalidSettings as error:
        raise Unsupported(f"The experiment cannot be set so: {error}") from None


def configuration(settings: ExperimentSettings, kept: Kept) -> ServiceConfiguration:
    """What the settings are in the service's words."""
    days = settings.log.retention // _DAY
    return ServiceConfiguration(
        reward_wait_time=durations.render(settings.reward.window),
        default_reward=settings.reward.default,
        reward_aggregation=settings.reward.aggregation,
        exploration_percentage=share(settings),
        model_export_frequency=durations.render(settings.training.every),
        log_retention_days=-1 if settings.log.retention == LONGEST else days,
        learning_mode=_THEIR_MODES[settings.mode],
        is_auto_optimization_enabled=False,
        auto_optimization_frequency=kept.auto_optimization_frequency,
        auto_optimization_start_date=kept.auto_optimization_start_date,
        last_configuration_edit_date=date(kept.edited_at) if kept.edited_at else None,
        log_mirror_enabled=False,
    )


def date(at: int) -> str:
    """An instant (microseconds UTC) as the service writes it.

    >>> date(1_664_000_000_500_000)
    '2022-09-24T06:13:20.500000+00:00'
    """
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat()


def _refuse_what_is_not(wanted: ServiceConfiguration) -> None:
    if wanted.model_retrain_days:
        message = f"Expected 0, got {wanted.model_retrain_days}: a model that is trained anew learns from all that is in the lake"
        raise Unsupported(message, at="$.modelRetrainDays")
    if wanted.is_auto_optimization_enabled:
        raise Unsupported(_NO_AUTO, at="$.isAutoOptimizationEnabled")
    if wanted.log_mirror_enabled or wanted.log_mirror_sas_uri:
        raise Unsupported(_NO_MIRROR, at="$.logMirrorEnabled" if wanted.log_mirror_enabled else "$.logMirrorSasUri")


def _mode(name: str) -> str:
    if name not in _MODES:
        raise Unsupported(f"Expected {', '.join(_MODES)}, got `{name[:40]}`", at="$.learningMode")
    return _MODES[name]


def _retention(days: int) -> Duration:
    """-1 is for ever: ten years, which is the longest there is."""
    return LONGEST if days == -1 else Duration(days * _DAY)
