"""The one table of settings: its types, its reader, its writer.

Types      `schema`: every setting; `checks` what no single one can say; `durations`
Read       `load`, of a `document` by `mapping`; `expected` and `suggest` word a refusal; `legacy` is the file of 2019
Written    `dump`
"""

from rewardloop.settings.dump import example_yaml
from rewardloop.settings.durations import format_duration, parse_duration, read_hook, write_hook
from rewardloop.settings.load import LoadedSettings, checked, load_settings, parse_settings, settings_from_mapping
from rewardloop.settings.mapping import settings_from_json, settings_to_json, to_mapping
from rewardloop.settings.schema import (
    MAX_NAMESPACES,
    Aggregation,
    ContinuousActions,
    Draws,
    Duration,
    ExperimentSettings,
    Exploration,
    ExposureRule,
    Feedback,
    GateSettings,
    LearnerSettings,
    LogSettings,
    PolicySettings,
    RankingSettings,
    RewardSettings,
    RolloutSettings,
    TrainingSettings,
)

__all__ = [
    "MAX_NAMESPACES",
    "Aggregation",
    "ContinuousActions",
    "Draws",
    "Duration",
    "ExperimentSettings",
    "Exploration",
    "ExposureRule",
    "Feedback",
    "GateSettings",
    "LearnerSettings",
    "LoadedSettings",
    "LogSettings",
    "PolicySettings",
    "RankingSettings",
    "RewardSettings",
    "RolloutSettings",
    "TrainingSettings",
    "checked",
    "example_yaml",
    "format_duration",
    "load_settings",
    "parse_duration",
    "parse_settings",
    "read_hook",
    "settings_from_json",
    "settings_from_mapping",
    "settings_to_json",
    "to_mapping",
    "write_hook",
]
