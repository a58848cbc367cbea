"""Real buildings, on EnergyPlus: environments of one YAML each, fast to reset, safe to kill. Needs the extra `energyplus`."""

from rewardloop.simulators.energyplus.accounts import EpisodeAccount, StepAccount
from rewardloop.simulators.energyplus.bundled import bundled
from rewardloop.simulators.energyplus.controllers import Constant, Controller, Ruled, Scheduled, baselines
from rewardloop.simulators.energyplus.effects import check_effects
from rewardloop.simulators.energyplus.environment import EnergyPlusEnv
from rewardloop.simulators.energyplus.loading import load_specification, parse_specification
from rewardloop.simulators.energyplus.making import made
from rewardloop.simulators.energyplus.simulator import Simulator
from rewardloop.simulators.energyplus.specification import Specification
from rewardloop.simulators.energyplus.vector import EnergyPlusVectorEnv

__all__ = [
    "Constant",
    "Controller",
    "EnergyPlusEnv",
    "EnergyPlusVectorEnv",
    "EpisodeAccount",
    "Ruled",
    "Scheduled",
    "Simulator",
    "Specification",
    "StepAccount",
    "baselines",
    "bundled",
    "check_effects",
    "load_specification",
    "made",
    "parse_specification",
]
