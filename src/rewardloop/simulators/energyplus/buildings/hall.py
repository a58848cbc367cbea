"""A server hall as epJSON objects: a box of a room, its servers, its air handler, its thermostat. What they cost is in curves.py.

Written here rather than shipped as a file: halls differ in a few numbers, and the files of 2019 no longer convert.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewardloop.simulators.energyplus.buildings.objects import ALWAYS, named
from rewardloop.zygote.model import Model, Objects

WALL, ROOF, SLAB = "Hall wall", "Hall roof", "Hall slab"


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


def hall(it: Hall) -> Iterator[Objects]:
    """Everything of one hall."""
    yield room(it)
    yield surfaces(it)
    yield servers(it)
    yield thermostat(it)
    yield zone_side(it)
    yield from supply_side(it)


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


def zone_side(it: Hall) -> Objects:
    """From the duct to the room and back: a terminal that throttles the air, and an electric heater."""
    return {
        "AirLoopHVAC:SupplyPath": {it.node("supply path"): _path(it, "duct", "AirLoopHVAC:ZoneSplitter", "splitter")},
        "AirLoopHVAC:ReturnPath": {it.node("return path"): _path(it, "return duct", "AirLoopHVAC:ZoneMixer", "mixer")},
        "AirLoopHVAC:ZoneSplitter": {
            it.node("splitter"): {
                "inlet_node_name": it.node("duct"),
                "nodes": [{"outlet_node_name": it.node("terminal inlet")}],
            }
        },
        "AirLoopHVAC:ZoneMixer": {
            it.node("mixer"): {"outlet_node_name": it.node("return duct"), "nodes": [{"inlet_node_name": it.node("return")}]}
        },
        "ZoneHVAC:EquipmentConnections": {
            it.node("connections"): {
                "zone_name": it.name,
                "zone_conditioning_equipment_list_name": it.node("equipment"),
                "zone_air_inlet_node_or_nodelist_name": it.node("supply"),
                "zone_air_node_name": it.node("air"),
                "zone_return_air_node_or_nodelist_name": it.node("return"),
            }
        },
        "ZoneHVAC:EquipmentList": {
            it.node("equipment"): {
                "load_distribution_scheme": "SequentialLoad",
                "equipment": [
                    _equipment("ZoneHVAC:AirDistributionUnit", it.node("unit"), 1, 2),
                    _equipment("ZoneHVAC:Baseboard:Convective:Electric", it.node("heater"), 2, 1),
                ],
            }
        },
        "ZoneHVAC:AirDistributionUnit": {
            it.node("unit"): {
                "air_distribution_unit_outlet_node_name": it.node("supply"),
                "air_terminal_object_type": "AirTerminal:SingleDuct:VAV:NoReheat",
                "air_terminal_name": it.node("terminal"),
            }
        },
        "AirTerminal:SingleDuct:VAV:NoReheat": {
            it.node("terminal"): {
                "availability_schedule_name": ALWAYS,
                "air_outlet_node_name": it.node("supply"),
                "air_inlet_node_name": it.node("terminal inlet"),
                "maximum_air_flow_rate": it.air_m3_s,
                "zone_minimum_air_flow_input_method": "Constant",
                "constant_minimum_air_flow_fraction": 0.05,
            }
        },
        "ZoneHVAC:Baseboard:Convective:Electric": {
            it.node("heater"): {
                "availability_schedule_name": ALWAYS,
                "heating_design_capacity_method": "HeatingDesignCapacity",
                "heating_design_capacity": 8000.0,
                "efficiency": 0.97,
            }
        },
    }


def _path(it: Hall, node: str, kind: str, component: str) -> Model:
    end = "supply_air_path_inlet_node_name" if kind.endswith("Splitter") else "return_air_path_outlet_node_name"
    return {end: it.node(node), "components": [{"component_object_type": kind, "component_name": it.node(component)}]}


def _equipment(kind: str, name: str, cooling: int, heating: int) -> Model:
    return {
        "zone_equipment_object_type": kind,
        "zone_equipment_name": name,
        "zone_equipment_cooling_sequence": cooling,
        "zone_equipment_heating_or_no_load_sequence": heating,
    }


def supply_side(it: Hall) -> Iterator[Objects]:
    """The air handler: with or without outdoor air, then a compressor's coil, then the fan."""
    yield air_loop(it)
    yield coil_and_fan(it)
    yield supply_set_points(it)
    if it.economiser:
        yield outdoor_air(it)


def air_loop(it: Hall) -> Objects:
    before_coil = it.node("mixed") if it.economiser else it.node("loop inlet")
    components = [
        _component("CoilSystem:Cooling:DX", it.node("coil system"), before_coil, it.node("coil outlet")),
        _component("Fan:VariableVolume", it.node("fan"), it.node("coil outlet"), it.node("loop outlet")),
    ]
    if it.economiser:
        system = _component("AirLoopHVAC:OutdoorAirSystem", it.node("outdoor air"), it.node("loop inlet"), before_coil)
        components.insert(0, system)
    loop = {
        "availability_manager_list_name": it.node("availability"),
        "branch_list_name": it.node("branches"),
        "design_supply_air_flow_rate": it.air_m3_s,
        "supply_side_inlet_node_name": it.node("loop inlet"),
        "supply_side_outlet_node_names": it.node("loop outlet"),
        "demand_side_inlet_node_names": it.node("duct"),
        "demand_side_outlet_node_name": it.node("return duct"),
    }
    managers = [
        {
            "availability_manager_object_type": "AvailabilityManager:Scheduled",
            "availability_manager_name": it.node("running"),
        }
    ]
    return {
        "AirLoopHVAC": {it.node("loop"): loop},
        "AvailabilityManagerAssignmentList": {it.node("availability"): {"managers": managers}},
        "AvailabilityManager:Scheduled": {it.node("running"): {"schedule_name": ALWAYS}},
        "BranchList": {it.node("branches"): {"branches": [{"branch_name": it.node("branch")}]}},
        "Branch": {it.node("branch"): {"components": components}},
    }


def _component(kind: str, name: str, inlet: str, outlet: str) -> Model:
    return {
        "component_object_type": kind,
        "component_name": name,
        "component_inlet_node_name": inlet,
        "component_outlet_node_name": outlet,
    }


def coil_and_fan(it: Hall) -> Objects:
    before_coil = it.node("mixed") if it.economiser else it.node("loop inlet")
    return {
        "CoilSystem:Cooling:DX": {
            it.node("coil system"): {
                "availability_schedule_name": ALWAYS,
                "dx_cooling_coil_system_inlet_node_name": before_coil,
                "dx_cooling_coil_system_outlet_node_name": it.node("coil outlet"),
                "dx_cooling_coil_system_sensor_node_name": it.node("coil outlet"),
                "cooling_coil_object_type": "Coil:Cooling:DX:SingleSpeed",
                "cooling_coil_name": it.node("coil"),
            }
        },
        "Coil:Cooling:DX:SingleSpeed": {
            it.node("coil"): {
                "availability_schedule_name": ALWAYS,
                "gross_rated_total_cooling_capacity": it.cooling_w,
                "gross_rated_sensible_heat_ratio": 0.83,
                "gross_rated_cooling_cop": it.cop,
                "rated_air_flow_rate": it.air_m3_s,
                "air_inlet_node_name": before_coil,
                "air_outlet_node_name": it.node("coil outlet"),
                "total_cooling_capacity_function_of_temperature_curve_name": "Coil capacity by temperature",
                "total_cooling_capacity_function_of_flow_fraction_curve_name": "Coil capacity by flow",
                "energy_input_ratio_function_of_temperature_curve_name": it.coil_input_curve,
                "energy_input_ratio_function_of_flow_fraction_curve_name": "Coil input by flow",
                "part_load_fraction_correlation_curve_name": "Coil part load",
            }
        },
        "Fan:VariableVolume": {
            it.node("fan"): {
                "availability_schedule_name": ALWAYS,
                "fan_total_efficiency": 0.7,
                "pressure_rise": it.fan_pa,
                "maximum_flow_rate": it.air_m3_s,
                "fan_power_minimum_flow_rate_input_method": "Fraction",
                "fan_power_minimum_flow_fraction": 0.05,
                "motor_efficiency": 0.9,
                "motor_in_airstream_fraction": 1.0,
                **{f"fan_power_coefficient_{i}": coefficient for i, coefficient in enumerate(it.fan_coefficients, start=1)},
                "air_inlet_node_name": it.node("coil outlet"),
                "air_outlet_node_name": it.node("loop outlet"),
            }
        },
    }


def supply_set_points(it: Hall) -> Objects:
    """Without an economiser the supply is as warm as the hall allows; with one, an agent sets it."""
    control = {"control_variable": "Temperature", "setpoint_node_or_nodelist_name": it.node("loop outlet")}
    mixed = {
        "control_variable": "Temperature",
        "reference_setpoint_node_name": it.node("loop outlet"),
        "fan_inlet_node_name": it.node("coil outlet"),
        "fan_outlet_node_name": it.node("loop outlet"),
    }
    nodes = {"coil": it.node("coil outlet"), **({"mixed": it.node("mixed")} if it.economiser else {})}
    managers: dict[str, Model] = {
        it.node(f"{place} manager"): {**mixed, "setpoint_node_or_nodelist_name": node} for place, node in nodes.items()
    }
    made: Objects = {"SetpointManager:MixedAir": managers}
    if not it.economiser:
        warmest = {
            **control,
            "hvac_air_loop_name": it.node("loop"),
            "minimum_setpoint_temperature": 10.0,
            "maximum_setpoint_temperature": 25.0,
            "strategy": "MaximumTemperature",
        }
        return {**made, "SetpointManager:Warmest": {it.node("supply manager"): warmest}}
    schedule = it.node("supply set-point")
    return {
        **made,
        "SetpointManager:Scheduled": {it.node("supply manager"): {**control, "schedule_name": schedule}},
        "Schedule:Constant": {schedule: {"hourly_value": it.supply_c, "schedule_type_limits_name": "Any number"}},
    }


def outdoor_air(it: Hall) -> Objects:
    """An economiser: outdoor air, as much as helps, while it is cooler than the return air."""
    return {
        "AirLoopHVAC:OutdoorAirSystem": {
            it.node("outdoor air"): {
                "controller_list_name": it.node("controllers"),
                "outdoor_air_equipment_list_name": it.node("outdoor air equipment"),
            }
        },
        "AirLoopHVAC:ControllerList": {
            it.node("controllers"): named("controller_1", "Controller:OutdoorAir", it.node("economiser"), "object_type")
        },
        "AirLoopHVAC:OutdoorAirSystem:EquipmentList": {
            it.node("outdoor air equipment"): named("component_1", "OutdoorAir:Mixer", it.node("mixing box"), "object_type")
        },
        "OutdoorAir:Mixer": {
            it.node("mixing box"): {
                "mixed_air_node_name": it.node("mixed"),
                "outdoor_air_stream_node_name": it.node("outdoors"),
                "relief_air_stream_node_name": it.node("relief"),
                "return_air_stream_node_name": it.node("loop inlet"),
            }
        },
        "OutdoorAir:NodeList": {it.node("intake"): {"nodes": [{"node_or_nodelist_name": it.node("outdoors")}]}},
        "Controller:OutdoorAir": {
            it.node("economiser"): {
                "relief_air_outlet_node_name": it.node("relief"),
                "return_air_node_name": it.node("loop inlet"),
                "mixed_air_node_name": it.node("mixed"),
                "actuator_node_name": it.node("outdoors"),
                "minimum_outdoor_air_flow_rate": 0.0,
                "maximum_outdoor_air_flow_rate": it.air_m3_s,
                "economizer_control_type": "DifferentialDryBulb",
                "economizer_control_action_type": "ModulateFlow",
                "lockout_type": "NoLockout",
                "minimum_limit_type": "FixedMinimum",
            }
        },
    }
