"""The air handler of a hall as epJSON objects: outdoor air or none, a compressor's coil, a fan, and what they are set to."""

from __future__ import annotations

from collections.abc import Iterator

from rewardloop.simulators.energyplus.buildings.design import Hall
from rewardloop.simulators.energyplus.buildings.objects import ALWAYS, named
from rewardloop.zygote.model import Model, Objects


def air_handler(it: Hall) -> Iterator[Objects]:
    """With or without outdoor air, then a compressor's coil, then the fan."""
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
