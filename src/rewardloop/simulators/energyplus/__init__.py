"""Real buildings, on EnergyPlus: environments of one YAML each, fast to reset, safe to kill. Needs the extra `energyplus`.

Said       `specification`, by `loading` and `checks`; ours are `shipped`, their buildings in `buildings`; `making` by name;
           `weather`
Stepped    `environment`, or many as a `vector`; `commands` in, `reading` out, as an `episode` of a `simulator` (or `in_process`)
Shown      `clock`, `forecasts`, `timetables`; what it cost in `accounts`
Compared   `controllers`; rewards `beside` the building's own schedules, actions as `offsets` of the rules
Refused    `effects` of actuators that have none; `unresolved` names; `package` where EnergyPlus is missing
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rewardloop.simulators.energyplus.accounts import EpisodeAccount, StepAccount
    from rewardloop.simulators.energyplus.controllers import Constant, Controller, Ruled, Scheduled, baselines
    from rewardloop.simulators.energyplus.effects import check_effects
    from rewardloop.simulators.energyplus.environment import EnergyPlusEnv
    from rewardloop.simulators.energyplus.loading import load_specification, parse_specification
    from rewardloop.simulators.energyplus.making import made
    from rewardloop.simulators.energyplus.shipped import bundled
    from rewardloop.simulators.energyplus.simulator import Simulator
    from rewardloop.simulators.energyplus.specification import Specification
    from rewardloop.simulators.energyplus.vector import EnergyPlusVectorEnv

_HOME = {
    "Constant": "rewardloop.simulators.energyplus.controllers",
    "Controller": "rewardloop.simulators.energyplus.controllers",
    "EnergyPlusEnv": "rewardloop.simulators.energyplus.environment",
    "EnergyPlusVectorEnv": "rewardloop.simulators.energyplus.vector",
    "EpisodeAccount": "rewardloop.simulators.energyplus.accounts",
    "Ruled": "rewardloop.simulators.energyplus.controllers",
    "Scheduled": "rewardloop.simulators.energyplus.controllers",
    "Simulator": "rewardloop.simulators.energyplus.simulator",
    "Specification": "rewardloop.simulators.energyplus.specification",
    "StepAccount": "rewardloop.simulators.energyplus.accounts",
    "baselines": "rewardloop.simulators.energyplus.controllers",
    "bundled": "rewardloop.simulators.energyplus.shipped",
    "check_effects": "rewardloop.simulators.energyplus.effects",
    "load_specification": "rewardloop.simulators.energyplus.loading",
    "made": "rewardloop.simulators.energyplus.making",
    "parse_specification": "rewardloop.simulators.energyplus.loading",
}

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


def __getattr__(name: str) -> object:
    """Import on first use (PEP 562): the table of environments, and the processes of a simulator, need not load all of it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
