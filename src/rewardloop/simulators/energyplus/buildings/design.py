"""What halls differ in: sizes, powers, curves by name, the set-points of their schedules. Objects are made of it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from rewardloop.simulators.energyplus.buildings.objects import ALWAYS


@dataclass(frozen=True)
class Hall:
    """One room with servers and one air handler. Lengths in m, power in W, air in m³/s, its schedules' set-points in °C.

    Its numbers are those of EnergyPlus's example file 1ZoneDataCenterCRAC_wPumpedDXCoolingCoil, but for the schedules' set-point: a
    usual 24 °C, where the file has 29.3 °C, which would be easier to beat.
    """

    name: str
    west: float = 0.0
    width: float = 15.24
    depth: float = 15.24
    height: float = 4.572
    servers_w: float = 50_000.0
    load_schedule: str = ALWAYS
    power_curve: str = "Servers power, hot"
    server_air_curve: str = "Servers air, hot"
    air_m3_s: float = 8.5
    cooling_w: float = 148_300.0
    cop: float = 4.5669
    coil_input_curve: str = "Coil input by temperature, pumped"
    fan_pa: float = 486.0
    fan_coefficients: tuple[float, ...] = (0.06990146, 1.39500612, -3.35487336, 2.89232315, 0.0)
    economiser: bool = False
    cooling_c: float = 24.0
    supply_c: float = 18.5

    def node(self, place: str) -> str:
        return f"{self.name} {place}"
