"""What is foreseen of a timetable is what then comes, for as long as an action lasts."""

from __future__ import annotations

import pytest

from rewardloop.errors import InvalidSettings
from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled, made, parse_specification
from rewardloop.simulators.energyplus.timetables import foretold
from rewardloop.zygote.model import Objects

FRIDAY = 202
_YAML = """\
name: hall
building: data-centre-one-zone
weather: {train: [usa_ca_san_francisco], test: [usa_co_golden]}
sensors:
  people: {variable: Schedule Value, key: Office hours, foreseen: true}
  total_w: {meter: "Electricity:Facility"}
observations: [{of: people}]
actions:
  cooling:
    low: 20
    high: 35
    actuators: [{component: "Schedule:Constant", control: Schedule Value, key: Hall cooling set-point}]
reward: {energy: {of: [total_w], weight: -1e-5}}
energy: {total: [total_w], hvac: [total_w]}
comfort: {of: [people], band: [18, 27]}
"""


def _columns(env: EnergyPlusEnv) -> tuple[list[float], list[float]]:
    """Of two days: occupancy, and what was foreseen of it."""
    names = [one.of for one in env.specification.observations]
    now, ahead = names.index("occupancy"), names.index("occupancy_foreseen")
    observation, _ = env.reset(options={"day": FRIDAY, "weather": "usa_il_chicago"})
    seen, truncated = [observation], False
    while not truncated:
        observation, _, _, truncated, _ = env.step(None)
        seen.append(observation)
    env.close()
    return [float(one[now]) for one in seen], [float(one[ahead]) for one in seen]


def test_what_is_foreseen_comes_while_the_next_action_lasts() -> None:
    occupancy, next_step = _columns(made("MediumOffice", days=2))
    _, next_hour = _columns(made("MediumOffice", days=2, hold=6))
    assert max(occupancy) > 0.9
    assert next_step[:-1] == occupancy[1:]
    assert next_hour[:-1] == [max(occupancy[i + 1 : i + 7]) for i in range(0, len(occupancy) - 1, 6)]


def test_only_a_schedule_is_foreseen() -> None:
    with pytest.raises(InvalidSettings, match=r"Schedule Value.*\$\.sensors\.people\.foreseen"):
        parse_specification(_YAML.replace("Schedule Value, key: Office", "Zone Mean Air Temperature, key: Office"), "hall.yaml")


def test_a_schedule_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(
        InvalidSettings, match=r"Expected a Schedule:Compact to foresee, got `Office hours`.*\$\.sensors\.people\.key"
    ):
        Simulator(parse_specification(_YAML, "hall.yaml"))


@pytest.mark.parametrize("until", ["Until: noon", "Until: 00:00", "Until: 99:00", "Interpolate: No"])
def test_a_schedule_of_another_form_is_refused(until: str) -> None:
    model: Objects = {"Schedule:Compact": {"Office hours": {"data": [{"field": "For: AllDays"}, {"field": until}, {"field": 1.0}]}}}
    with pytest.raises(InvalidSettings, match=r"Expected `.*\$\.sensors\.people"):
        foretold(model, parse_specification(_YAML, "hall.yaml"), 12)


def test_nothing_is_added_where_nothing_is_foreseen() -> None:
    specification = bundled("DataCenter-1Zone")
    model: Objects = {"Zone": {"A": {}}}
    assert foretold(model, specification, 12) is model
