"""A YAML of one's own: what it may say, what is refused and how, and that what it names is there and does something."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from rewardloop.errors import InvalidInput, InvalidSettings, SimulatorFailed
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.simulators.energyplus import (
    EnergyPlusEnv,
    Simulator,
    bundled,
    check_effects,
    load_specification,
    made,
    making,
    parse_specification,
)
from rewardloop.simulators.energyplus.buildings.data_centre import one_zone
from rewardloop.simulators.energyplus.shipped import NAMES

PAGE = Path(__file__).parents[3] / "docs/hvac.md"


HALL = """\
name: hall
building: hall.epJSON
weather:
  train: [usa_ca_san_francisco]
  test: [usa_co_golden]
episode: {days: 1, start_days: [1, 91, 182, 274]}
sensors:
  zone_temp_c: {variable: Zone Mean Air Temperature, key: Hall}
  outdoor_temp_c: {variable: Site Outdoor Air Drybulb Temperature}
  total_w: {meter: "Electricity:Facility"}
  hvac_w: {meter: "Electricity:HVAC"}
observations:
  - {of: zone_temp_c, low: 0, high: 60}
  - {of: outdoor_temp_c, low: -30, high: 50}
  - {of: hour_sin}
actions:
  cooling:
    low: 20
    high: 35
    actuators: [{component: "Schedule:Constant", control: Schedule Value, key: Hall cooling set-point}]
  heating:
    low: 5
    high: 20
    actuators: [{component: "Schedule:Constant", control: Schedule Value, key: Hall heating set-point}]
constraints:
  - {raised: cooling, above: heating, by: 2}
reward:
  energy: {of: [hvac_w], weight: -1e-5}
  comfort: {of: [zone_temp_c], band: [18, 27], weight: -1}
energy: {total: [total_w], hvac: [hvac_w]}
comfort: {of: [zone_temp_c], band: [18, 27]}
"""


@pytest.fixture
def yaml() -> str:
    """A hall of one's own."""
    return HALL


@pytest.fixture
def own(tmp_path: Path, yaml: str) -> Path:
    (tmp_path / "hall.epJSON").write_text(json.dumps(one_zone()))
    path = tmp_path / "hall.yaml"
    path.write_text(yaml.replace("low: 5\n    high: 20", "low: 5\n    high: 34"))
    return path


def test_the_documented_example_runs_as_it_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("office.yaml").write_text(PAGE.read_text().split("```yaml\n")[1].split("```")[0])
    env = make_env(EnvSpec("rewardloop/Building-v0", {"specification": "office.yaml"}))
    observation, _ = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    assert set(env.step(env.action_space.sample())[4]["reward_terms"]) == {"energy", "comfort"}
    env.close()


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("building:", "bilding:", "Unknown key `bilding` at `$.bilding` (line 2 of hall.yaml); did you mean `building`?"),
        ("{of: hour_sin}", "{of: hour_sine}", "Unknown sensor `hour_sine`; did you mean `hour_sin`? at `$.observations[2].of`"),
        ("raised: cooling", "raised: colling", "Unknown action `colling`; did you mean `cooling`? at `$.constraints[0].raised`"),
        ("low: 20", "low: 40", "Expected low < high, got 40 and 35 at `$.actions.cooling`"),
        ("low: 20", "low: warm", "Expected a number from -1e+30 to 1e+30, got the text `warm` at `$.actions.cooling.low`"),
        ("days: 1,", "days: 0,", "Expected a whole number from 1 to 365, got `0` at `$.episode.days`"),
        ("weather:\n", "wether:\n", "did you mean `weather`"),
        ("key: Hall}", "key: Hall, kee: 1}", "Unknown key `kee` at `$.sensors.zone_temp_c.kee`"),
        ('{meter: "Electricity:HVAC"}', "{key: Hall}", "Expected either `variable` or `meter` at `$.sensors.hvac_w`"),
        ("comfort: {of: [zone_temp_c], band: [18, 27]}", "", "Expected the key `comfort` at `$`"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(yaml: str, wrong: str, right: str, said: str) -> None:
    assert wrong in yaml
    with pytest.raises(InvalidSettings) as refused:
        parse_specification(yaml.replace(wrong, right), "hall.yaml")
    assert said in str(refused.value)


def test_files_that_are_not_there(own: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="Expected a file of an environment"):
        load_specification(tmp_path / "none.yaml")
    (tmp_path / "hall.epJSON").unlink()
    with pytest.raises(InvalidSettings, match=r"got nothing at .*hall\.epJSON"):
        made(str(own))
    own.write_text(own.read_text().replace("usa_co_golden", "here.epw"))
    with pytest.raises(InvalidSettings, match=r"got nothing at .*here\.epw.* - at `\$\.weather\.test\[0\]`"):
        made(str(own))


@pytest.mark.parametrize("text", ["{", "[]", '{"Zone": []}', '{"Zone": {"A": 1}}'])
def test_a_building_that_does_not_parse(own: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "hall.epJSON").write_text(text)
    with pytest.raises(InvalidSettings, match=r"Expected epJSON in .*hall\.epJSON"):
        made(str(own))


def test_an_idf_that_does_not_parse(tmp_path: Path) -> None:
    (tmp_path / "hall.idf").write_text("Zone, A, b, c;\nNonsense;\n")
    specification = msgspec.structs.replace(bundled(NAMES[0]), building=str(tmp_path / "hall.idf"))
    with pytest.raises((InvalidSettings, SimulatorFailed), match="EnergyPlus"), Simulator(specification) as simulator:
        simulator.begin("usa_co_golden", 1)


def test_a_file_that_is_no_idf_is_not_taken_for_epjson(own: Path, tmp_path: Path) -> None:
    (tmp_path / "hall.idf").write_text("hello\n")
    own.write_text(own.read_text().replace("hall.epJSON", "hall.idf"))
    with pytest.raises(InvalidSettings, match=r"Expected a building in .*hall\.idf, got a file without a zone; is it an IDF\?"):
        made(str(own))


def test_a_building_of_ones_own_has_an_id_and_is_tried_once_however_often_it_is_made(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = making._check_once.cache_info().misses
    for params in ({}, {"relative": True}, {"weights": {"comfort": -2.0}}):
        make_env(EnvSpec("rewardloop/Building-v0", {"specification": "hall.yaml", **params})).close()
    assert making._check_once.cache_info().misses == before + 1
    os.utime(tmp_path / "hall.epJSON", (1, 1))
    make_env(EnvSpec("rewardloop/Building-v0", {"specification": "hall.yaml"})).close()
    assert making._check_once.cache_info().misses == before + 2, "another version of the file"


def test_a_building_that_energyplus_refuses_is_quoted(own: Path, tmp_path: Path) -> None:
    model = one_zone()
    model["Construction"]["Hall wall"]["outside_layer"] = "No such material"
    (tmp_path / "hall.epJSON").write_text(json.dumps(model))
    env = made(str(own), check=False)
    with pytest.raises(SimulatorFailed, match=r"(?i)no such material"):
        env.reset()
    with pytest.raises(SimulatorFailed, match=r"(?i)no such material"):
        env.reset()
    env.close()


@pytest.mark.parametrize("mode", ["fork", "in-process"])
@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            "variable: Zone Mean Air Temperature",
            "variable: Zone Mean Air Temperatur",
            "did you mean `Zone Mean Air Temperature`",
        ),
        ("key: Hall}", "key: Hal}", "no variable `Zone Mean Air Temperature / Hal`; did you mean `Hall`?"),
        ("Electricity:HVAC", "Electricity:HVACs", "no meter `Electricity:HVACs`; did you mean `Electricity:HVAC`"),
        (
            "key: Hall cooling set-point",
            "key: Hall coling",
            "did you mean `Schedule:Constant / Schedule Value / HALL COOLING SET-POINT`",
        ),
    ],
)
def test_names_that_do_not_resolve_are_refused_with_the_nearest(own: Path, mode: str, wrong: str, right: str, said: str) -> None:
    own.write_text(own.read_text().replace(wrong, right))
    env = EnergyPlusEnv(load_specification(own), mode=mode)  # type: ignore[arg-type]
    with pytest.raises(InvalidSettings) as refused:
        env.reset(options={"day": 1})
    assert said in str(refused.value)
    assert "$.sensors." in str(refused.value) or "$.actions.cooling.actuators[0]" in str(refused.value)
    env.close()


def test_an_actuator_that_changes_nothing_is_refused_on_load(own: Path) -> None:
    """The heating set-point of 2019's task is one: servers heat the hall more than any heater."""
    own.write_text(own.read_text().replace("low: 5\n    high: 34", "low: 5\n    high: 20"))
    with pytest.raises(InvalidSettings, match=r"Hall heating set-point` changes nothing.*\$\.actions\.heating\.actuators\[0\]"):
        made(str(own))


def test_an_actuator_whose_end_of_the_range_ends_the_run_changes_something(own: Path) -> None:
    """Heating to 34 °C while the schedules cool to 24: EnergyPlus refuses, which the constraint sees to when the agent acts."""
    made(str(own)).close()


def test_every_actuator_of_the_two_halls_changes_something() -> None:
    with Simulator(bundled("DataCenter-2Zones")) as simulator:
        check_effects(simulator)


def test_changes_are_held_to_the_same_bounds() -> None:
    with pytest.raises(InvalidInput, match=r"\$\.days"):
        made(NAMES[0], days=0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"use": "tets"}, r"Expected one of `train`, `test`, got `tets` - at `\$\.use`"),
        ({"mode": "forkk"}, r"`fork`, `in-process`, got `forkk` - at `\$\.mode`"),
        ({"relative": "maybe"}, r"Expected one of `false`, `true`, got `maybe` - at `\$\.relative`"),
        ({"weights": 3}, r"Expected term → weight, got `3` - at `\$\.weights`"),
    ],
)
def test_parameters_of_a_command_line_are_refused_by_name(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        made(NAMES[0], **wrong)  # type: ignore[arg-type]
