"""Real buildings, on EnergyPlus: environments of one YAML each, fast to reset, safe to kill. Needs the extra `energyplus`."""

from rewardloop.simulators.energyplus.accounts import EpisodeAccount, StepAccount
from rewardloop.simulators.energyplus.bundled import bundled
from rewardloop.simulators.energyplus.environment import EnergyPlusEnv
from rewardloop.simulators.energyplus.loading import load_specification, parse_specification
from rewardloop.simulators.energyplus.making import made
from rewardloop.simulators.energyplus.simulator import Simulator
from rewardloop.simulators.energyplus.specification import Specification

__all__ = [
    "EnergyPlusEnv",
    "EpisodeAccount",
    "Simulator",
    "Specification",
    "StepAccount",
    "bundled",
    "load_specification",
    "made",
    "parse_specification",
]
