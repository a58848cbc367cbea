"""The two data centres: one hall as the example of 2019 had it, and two halls whose outdoor air makes the weather matter."""

from __future__ import annotations

from collections.abc import Sequence

from rewardloop.simulators.energyplus.buildings.curves import curves
from rewardloop.simulators.energyplus.buildings.design import Hall
from rewardloop.simulators.energyplus.buildings.hall import ROOF, SLAB, WALL, hall
from rewardloop.simulators.energyplus.buildings.objects import ALWAYS, merged
from rewardloop.zygote.model import Model, Objects

_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LOADS_2019 = (1.0, 0.5, 0.75, 1.0, 0.25, 0.5, 0.1, 1.0, 0.25, 0.5, 0.75, 1.0)
_OFFICE_DAY = ((7, 0.55), (9, 0.75), (12, 0.95), (14, 0.85), (18, 1.0), (22, 0.75), (24, 0.6))
_NIGHT_JOBS = ((6, 1.0), (8, 0.8), (20, 0.5), (22, 0.7), (24, 1.0))


def one_zone() -> Objects:
    """One hall of 232 m² with servers of 50 kW, whose power grows with the temperature of their air, and no outdoor air."""
    return merged([shell("Data centre, one zone", 12), curves(), _monthly_load(), *hall(Hall("Hall", load_schedule="Load"))])


def two_zones() -> Objects:
    """Two halls whose loads peak at other hours, each with an air handler that may take outdoor air."""
    west, east = _present("West", 0.0, 60_000.0), _present("East", 20.0, 40_000.0)
    loads = {"West load": _daily(_OFFICE_DAY), "East load": _daily(_NIGHT_JOBS)}
    return merged([shell("Data centre, two zones", 4), curves(), {"Schedule:Compact": loads}, *hall(west), *hall(east)])


def shell(name: str, steps_an_hour: int) -> Objects:
    """What every building written here shares: walls, schedules, and that nothing is sized."""
    return {
        "Version": {"Version": {"version_identifier": "25.2"}},
        "Timestep": {"Timestep": {"number_of_timesteps_per_hour": steps_an_hour}},
        "Building": {
            name: {
                "terrain": "Suburbs",
                "solar_distribution": "MinimalShadowing",
                "loads_convergence_tolerance_value": 0.05,
                "temperature_convergence_tolerance_value": 0.05,
                "maximum_number_of_warmup_days": 30,
                "minimum_number_of_warmup_days": 6,
            }
        },
        "GlobalGeometryRules": {
            "Rules": {
                "coordinate_system": "World",
                "starting_vertex_position": "UpperLeftCorner",
                "vertex_entry_direction": "Counterclockwise",
            }
        },
        "Material:NoMass": {"R13": _insulation(2.29), "R31": _insulation(5.456)},
        "Material": {
            "Concrete": {
                "roughness": "MediumRough",
                "thickness": 0.1,
                "conductivity": 1.73,
                "density": 2243.0,
                "specific_heat": 837.0,
            }
        },
        "Construction": {WALL: {"outside_layer": "R13"}, ROOF: {"outside_layer": "R31"}, SLAB: {"outside_layer": "Concrete"}},
        "ScheduleTypeLimits": {"Any number": {}},
        "Schedule:Constant": {ALWAYS: _constant(1.0), "Dual set-point": _constant(4.0)},
    }


def _present(name: str, west: float, servers_w: float) -> Hall:
    """A hall of today: servers that mind the temperature little, air and cooling in proportion, an economiser."""
    return Hall(
        name,
        west=west,
        servers_w=servers_w,
        load_schedule=f"{name} load",
        power_curve="Servers power",
        server_air_curve="Servers air",
        air_m3_s=1.1e-4 * servers_w,
        cooling_w=1.9 * servers_w,
        cop=4.5,
        coil_input_curve="Coil input by temperature",
        fan_pa=500.0,
        fan_coefficients=(0.05, 0.05, 0.0, 0.9, 0.0),
        economiser=True,
        cooling_c=27.0,
    )


def _insulation(resistance: float) -> Model:
    return {"roughness": "Rough", "thermal_resistance": resistance}


def _constant(value: float) -> Model:
    return {"hourly_value": value, "schedule_type_limits_name": "Any number"}


def _monthly_load() -> Objects:
    lines = [
        line
        for month, (days, load) in enumerate(zip(_MONTHS, _LOADS_2019, strict=True), start=1)
        for line in (f"Through: {month}/{days}", "For: AllDays", "Until: 24:00", load)
    ]
    return {"Schedule:Compact": {"Load": _compact(lines)}}


def _daily(hours: tuple[tuple[int, float], ...]) -> Model:
    lines = ["Through: 12/31", "For: AllDays"]
    return _compact([*lines, *[item for hour, load in hours for item in (f"Until: {hour}:00", load)]])


def _compact(lines: Sequence[object]) -> Model:
    return {"schedule_type_limits_name": "Any number", "data": [{"field": line} for line in lines]}
