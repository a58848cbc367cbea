"""The ducts of a hall as epJSON objects: from the air handler to the room and back."""

from __future__ import annotations

from rewardloop.simulators.energyplus.buildings.design import Hall
from rewardloop.simulators.energyplus.buildings.objects import ALWAYS
from rewardloop.zygote.model import Model, Objects


def ducts(it: Hall) -> Objects:
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
