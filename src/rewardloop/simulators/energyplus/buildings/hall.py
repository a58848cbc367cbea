"""A server hall as epJSON objects: a box of a room, its servers and its thermostat; the air comes from `air_handler` by `ducts`.

Written here rather than shipped as a file: halls differ in a few numbers (`design`), and the files of 2019 no longer convert.
What machines draw is in `curves`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rewardloop.simulators.energyplus.buildings.air_handler import air_handler
from rewardloop.simulators.energyplus.buildings.design import Hall
from rewardloop.simulators.energyplus.buildings.ducts import ducts
from rewardloop.simulators.energyplus.buildings.objects import ALWAYS
from rewardloop.zygote.model import Model, Objects

WALL, ROOF, SLAB = "Hall wall", "Hall roof", "Hall slab"


def hall(it: Hall) -> Iterator[Objects]:
    """Everything of one hall."""
    yield room(it)
    yield surfaces(it)
    yield servers(it)
    yield thermostat(it)
    yield ducts(it)
    yield from air_handler(it)


def room(it: Hall) -> Objects:
    return {"Zone": {it.name: {"x_origin": 0.0, "y_origin": 0.0, "z_origin": 0.0}}}


def surfaces(it: Hall) -> Objects:
    w, e, s, n, top = it.west, it.west + it.width, 0.0, it.depth, it.height
    walls = {
        "south": [(w, s), (e, s)],
        "east": [(e, s), (e, n)],
        "north": [(e, n), (w, n)],
        "west": [(w, n), (w, s)],
    }
    made = {
        f"{it.name} {side}": _surface(it, "Wall", WALL, [(*a, top), (*a, 0.0), (*b, 0.0), (*b, top)])
        for side, (a, b) in walls.items()
    }
    made[f"{it.name} roof"] = _surface(it, "Roof", ROOF, [(w, n, top), (w, s, top), (e, s, top), (e, n, top)])
    slab = _surface(it, "Floor", SLAB, [(e, s, 0.0), (w, s, 0.0), (w, n, 0.0), (e, n, 0.0)])
    made[f"{it.name} slab"] = {
        **slab,
        "outside_boundary_condition": "Adiabatic",
        "sun_exposure": "NoSun",
        "wind_exposure": "NoWind",
    }
    return {"BuildingSurface:Detailed": made}


def _surface(it: Hall, kind: str, construction: str, corners: list[tuple[float, float, float]]) -> Model:
    keys = ("vertex_x_coordinate", "vertex_y_coordinate", "vertex_z_coordinate")
    return {
        "surface_type": kind,
        "construction_name": construction,
        "zone_name": it.name,
        "outside_boundary_condition": "Outdoors",
        "sun_exposure": "SunExposed",
        "wind_exposure": "WindExposed",
        "vertices": [dict(zip(keys, corner, strict=True)) for corner in corners],
    }


def servers(it: Hall) -> Objects:
    """Air-cooled: what they draw depends on their load and on the air that enters them."""
    return {
        "ElectricEquipment:ITE:AirCooled": {
            f"{it.name} servers": {
                "zone_or_space_name": it.name,
                "air_flow_calculation_method": "FlowFromSystem",
                "design_power_input_calculation_method": "Watts/Unit",
                "watts_per_unit": it.servers_w / 100,
                "number_of_units": 100,
                "design_power_input_schedule_name": ALWAYS,
                "cpu_loading_schedule_name": it.load_schedule,
                "cpu_power_input_function_of_loading_and_air_temperature_curve_name": it.power_curve,
                "design_fan_power_input_fraction": 0.4 if it.power_curve.endswith("hot") else 0.1,
                "design_fan_air_flow_rate_per_power_input": 0.0001,
                "air_flow_function_of_loading_and_air_temperature_curve_name": it.server_air_curve,
                "fan_power_input_function_of_flow_curve_name": "Server fans",
                "design_entering_air_temperature": 15.0,
                "environmental_class": "A3",
                "air_inlet_connection_type": "AdjustedSupply",
                "supply_air_node_name": it.node("supply"),
                "design_recirculation_fraction": 0.1,
                "recirculation_function_of_loading_and_supply_temperature_curve_name": "One",
                "design_electric_power_supply_efficiency": 0.9,
                "electric_power_supply_efficiency_function_of_part_load_ratio_curve_name": "Flat",
                "fraction_of_electric_power_supply_losses_to_zone": 1.0,
                "cpu_end_use_subcategory": "ITE-CPU",
                "fan_end_use_subcategory": "ITE-Fans",
                "electric_power_supply_end_use_subcategory": "ITE-UPS",
            }
        }
    }


def thermostat(it: Hall) -> Objects:
    """Two schedules a hall, which are what an agent moves."""
    return {
        "Schedule:Constant": {
            it.node("cooling set-point"): {"hourly_value": it.cooling_c, "schedule_type_limits_name": "Any number"},
            it.node("heating set-point"): {"hourly_value": 15.0, "schedule_type_limits_name": "Any number"},
        },
        "ThermostatSetpoint:DualSetpoint": {
            it.node("set-points"): {
                "cooling_setpoint_temperature_schedule_name": it.node("cooling set-point"),
                "heating_setpoint_temperature_schedule_name": it.node("heating set-point"),
            }
        },
        "ZoneControl:Thermostat": {
            it.node("thermostat"): {
                "zone_or_zonelist_name": it.name,
                "control_type_schedule_name": "Dual set-point",
                "control_1_object_type": "ThermostatSetpoint:DualSetpoint",
                "control_1_name": it.node("set-points"),
            }
        },
    }
