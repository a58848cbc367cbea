"""What ended a simulator, as the error a person reads: names that the building does not have, or what EnergyPlus wrote."""

from __future__ import annotations

from rewardloop.errors import InvalidSettings, RewardloopError, SimulatorFailed
from rewardloop.simulators.energyplus.buildings.catalogue import quoted
from rewardloop.zygote.wire import Ended


class UnknownName(InvalidSettings):
    """A variable, meter or actuator that the building does not have. `kind` and `index` say which of the plan's."""

    def __init__(self, kind: str, index: int, near: tuple[str, ...]) -> None:
        self.kind, self.index, self.near = kind, index, near
        hint = f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        super().__init__(f"The building has no such {kind.removesuffix('s')}{hint}")


def raised_by(ended: Ended, written: str) -> RewardloopError:
    """The error for what a simulator said last.

    >>> raised_by(Ended("fatal", index=1), "** Severe  ** Node not found")
    SimulatorFailed('EnergyPlus ended the run (code 1): Severe: Node not found')
    """
    if ended.kind in ("variables", "meters", "actuators"):
        return UnknownName(ended.kind, ended.index, ended.near)
    if ended.kind == "fatal":
        return SimulatorFailed(f"EnergyPlus ended the run (code {ended.index}): {quoted(written)}")
    return SimulatorFailed(f"The simulator failed: {ended.text}")
