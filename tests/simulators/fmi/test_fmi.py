"""A unit compiled from C on the spot, as an environment: its equation's numbers, repeatable, trained on; mistakes are named."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fmpy
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput, InvalidSettings, SimulatorFailed
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.playing.controllers import RandomActor, baselines_of
from rewardloop.rl.playing.episodes import play
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.toolkit import Plan

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None or sys.platform != "linux", reason="compiles a unit with gcc for Linux")

VARIABLES = (
    ("level", 0, 'causality="output" variability="continuous"', ""),
    ("flow", 1, 'causality="output" variability="continuous"', ""),
    ("pump", 2, 'causality="input" variability="continuous"', ' start="0"'),
    ("drain", 3, 'causality="parameter" variability="fixed"', ' start="0.1"'),
    ("level_start", 4, 'causality="parameter" variability="fixed"', ' start="1"'),
)
YAML = """
name: tank
fmu: tank.fmu
episode: {steps: 20, step_s: 10}
start: {drain: 0.2}
drawn: {level_start: [1, 4]}
observations:
  - {of: level, low: 0, high: 10}
  - {of: flow, low: 0, high: 1}
actions:
  pump: {variable: pump, low: 0, high: 0.5}
reward:
  level: {of: [level], band: [2.9, 3.1], weight: -1}
  water: {of: [flow], weight: -0.1}
rules:
  pump: {by: level, points: [[2, 0.5], [3, 0.346], [4, 0]]}
"""
Written = Callable[..., str]


SECOND = (
    """<fmiModelDescription fmiVersion="2.0" modelName="tank" guid="{tank}"><CoSimulation modelIdentifier="tank"/>
       <ModelVariables>""",
    """<ScalarVariable name="{name}" valueReference="{i}" {words}><Real{first}/></ScalarVariable>""",
    """</ModelVariables><ModelStructure><Outputs><Unknown index="1"/><Unknown index="2"/></Outputs></ModelStructure>
       </fmiModelDescription>""",
)
THIRD = (
    """<fmiModelDescription fmiVersion="3.0" modelName="tank" instantiationToken="{tank}"><CoSimulation modelIdentifier="tank"/>
       <ModelVariables>""",
    """<Float64 name="{name}" valueReference="{i}" {words}{first}/>""",
    """</ModelVariables><ModelStructure><Output valueReference="0"/><Output valueReference="1"/></ModelStructure>
       </fmiModelDescription>""",
)


@pytest.fixture(scope="session", params=["2.0", "3.0"])
def unit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tank as a unit of one version of the standard or the other."""
    place, second = tmp_path_factory.mktemp("unit"), request.param == "2.0"
    headers = Path(fmpy.__file__).parent / "c-code"
    source = Path(__file__).with_name("tank.c" if second else "tank3.c")
    options = ["-shared", "-fPIC", "-O1", "-w", "-I", str(headers)]
    subprocess.run(["gcc", *options, "-o", str(place / "tank.so"), str(source), "-lm"], check=True)
    head, row, tail = SECOND if second else THIRD
    rows = "".join(row.format(name=name, i=i, words=words, first=first) for name, i, words, first in VARIABLES)
    with zipfile.ZipFile(place / "tank.fmu", "w") as archive:
        archive.writestr("modelDescription.xml", f'<?xml version="1.0" encoding="UTF-8"?>{head}{rows}{tail}')
        archive.write(place / "tank.so", f"binaries/{'linux64' if second else fmpy.platform_tuple}/tank.so")
    return place / "tank.fmu"


@pytest.fixture
def written(unit: Path, tmp_path: Path) -> Written:
    """A specification beside the unit, with words replaced."""

    def write(*changes: tuple[str, str]) -> str:
        shutil.copy(unit, tmp_path / "tank.fmu")
        text = YAML
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "tank.yaml").write_text(text)
        return str(tmp_path / "tank.yaml")

    return write


def made(specification: str) -> Any:
    return make_env(EnvSpec("rewardloop/Fmu-v0", {"specification": specification}))


def test_it_computes_what_its_equation_says(written: Written) -> None:
    env = made(written())
    (level, _), _ = env.reset(seed=1)
    assert 1 <= level <= 4
    expected = float(np.random.default_rng(1).uniform(1, 4))
    for step in range(20):
        (level, flow), reward, terminated, truncated, info = env.step(np.array([0.6], np.float32))
        for _ in range(10):
            out = 0.2 * math.sqrt(expected)
            expected += info["applied"][0] - out
        assert level == pytest.approx(expected, rel=1e-6)
        assert flow == pytest.approx(out, rel=1e-6)
        assert reward == pytest.approx(sum(info["reward_terms"].values()))
        assert info["reward_terms"]["water"] == pytest.approx(-0.1 * out)
        assert (terminated, truncated) == (False, step == 19)
    with pytest.raises(Conflict, match="reset"):
        env.step(np.array([0.6], np.float32))
    env.close()


def test_gymnasium_finds_nothing_to_say_and_the_seed_decides(written: Written) -> None:
    env = made(written())
    check_env(env.unwrapped, skip_render_check=True)
    env.close()
    one, other = made(written()), made(written())
    rule = baselines_of(one)["rules"]
    assert play(one, rule, 3) == play(other, rule, 3) == play(one, rule, 3)
    assert play(one, rule, 3).episode_return > play(one, RandomActor(one.action_space), 3).episode_return
    one.close()
    other.close()


def test_it_is_trained_on(written: Written, tmp_path: Path) -> None:
    spec = EnvSpec("rewardloop/Fmu-v0", {"specification": written()})
    plan = Plan(env=spec, toolkit="sb3", algorithm="ppo", n_steps=80, parameters={"n_steps": 40, "batch_size": 20})
    assert start(Runs(tmp_path), plan, Watching(eval_episodes=1), ManualClock()).status == "done"


def test_a_unit_that_fails_is_quoted_and_the_next_episode_is_well(written: Written) -> None:
    env = made(written(("high: 0.5}", "high: 50}")))
    env.reset(seed=0)
    with pytest.raises(SimulatorFailed, match=r"failed at 0 s: .*the tank ran over"):
        env.step(np.ones(1, np.float32))
    env.reset(seed=0)
    env.step(np.zeros(1, np.float32))
    for bad in (np.array([2.0]), np.array([math.nan]), np.zeros(2)):
        with pytest.raises(InvalidInput, match="1 numbers from 0 to 1"):
            env.step(bad)
    env.close()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("of: flow,", "of: flwo,", r"got `flwo`; did you mean `flow`\? - at `\$.observations`"),
        ("variable: pump", "variable: level", r"Expected an input of the unit.*`level`"),
        ("{drain: 0.2}", "{flow: 0.2}", "a variable to set at the start.*`flow`"),
        ("tank.fmu", "tonk.fmu", "Expected a functional mock-up unit"),
        ("tank.fmu", "tank.yaml", "not a zip file"),
        ("by: level", "by: levl", "did you mean `level`"),
        ("observations:", "observation:", "Unknown key `observation`"),
        ("low: 0, high: 10", "low: 0, high: much", r"got str|got `str`|Expected"),
        ("[1, 4]", "[4, 1]", "low, then high"),
    ],
)
def test_mistakes_are_named_with_their_place(old: str, new: str, words: str, written: Written) -> None:
    with pytest.raises((InvalidInput, InvalidSettings), match=words):
        made(written((old, new)))


def test_nothing_is_left_unpacked(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "unpacked"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    env = made(written())
    assert list(place.iterdir())
    env.close()
    with pytest.raises(InvalidInput):
        made(written(("variable: pump", "variable: level")))
    assert not list(place.iterdir())
