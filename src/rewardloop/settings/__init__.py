"""The one table of settings."""

from rewardloop.settings.schema import (
    Duration,
    ExperimentSettings,
    GateSettings,
    LearnerSettings,
    LogSettings,
    PolicySettings,
    RewardSettings,
    TrainingSettings,
)

__all__ = [
    "Duration",
    "ExperimentSettings",
    "GateSettings",
    "LearnerSettings",
    "LogSettings",
    "PolicySettings",
    "RewardSettings",
    "TrainingSettings",
]
