"""The environments that come along: each runs, in the weather it names, and many of one agree with one."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import numpy as np
import pytest

from buildings_played import JULY
from rewardloop.simulators.energyplus import (
    EnergyPlusEnv,
    EnergyPlusVectorEnv,
    Simulator,
    Specification,
    baselines,
    bundled,
    made,
)
from rewardloop.simulators.energyplus.shipped import NAMES
from rewardloop.simulators.energyplus.weather import read_temperatures, weather_path

A_MONDAY = 198


@pytest.mark.parametrize("name", NAMES)
def test_each_runs_under_each_baseline(name: str) -> None:
    env = made(name, days=1)
    hvac = {}
    for baseline, controller in baselines(env.specification).items():
        observation, _ = env.reset(seed=1, options={"day": A_MONDAY})
        truncated = False
        while not truncated:
            assert env.observation_space.contains(observation)
            observation, _, _, truncated, info = env.step(controller.act(observation))
        hvac[baseline] = info["episode_account"].hvac_kwh
    env.close()
    assert hvac["rules"] < hvac["schedule"]


@pytest.mark.parametrize("name", NAMES)
def test_training_and_test_weather_are_apart_and_there(name: str) -> None:
    weather = bundled(name).weather
    assert set(weather.train).isdisjoint(weather.test)
    assert all(weather_path(one).exists() for one in (*weather.train, *weather.test))


def test_a_year_is_a_year() -> None:
    with Simulator(bundled("MediumOffice")) as simulator:
        assert simulator.n_steps == 365 * 24 * 6


def test_the_forecast_is_the_weather_to_come() -> None:
    env = made("DataCenter-1Zone", forecast_hours=[1, 24])
    observation, _ = env.reset(options=JULY)
    ahead = float(observation[3])
    for _ in range(12):
        observation = env.step(None)[0]
    env.close()
    assert float(observation[1]) == pytest.approx(ahead, abs=0.6)
    temperatures = read_temperatures(weather_path("usa_ca_san_francisco"))
    assert float(observation[4]) == pytest.approx(temperatures.at(195 * 24 + 25), abs=1e-3)


def test_the_forecast_errs_by_the_seed() -> None:
    specification = bundled("DataCenter-1Zone")
    forecast = msgspec.convert({"hours": [1, 2], "noise_k": 2.0}, type(specification.forecast))
    with Simulator(msgspec.structs.replace(specification, forecast=forecast)) as simulator:
        env = EnergyPlusEnv(simulator.specification, simulator=simulator)
        shown = [env.reset(seed=seed, options=JULY)[0][3:].tolist() for seed in (1, 1, 2)]
        env.close()
    assert shown[0] == shown[1] != shown[2]


def test_a_vector_is_its_single_environments(one_zone: Simulator) -> None:
    specification = _short(one_zone.specification)
    vector = EnergyPlusVectorEnv(specification, 2)
    single = EnergyPlusEnv(specification, simulator=vector.simulator)
    observations, _ = vector.reset(seed=5)
    assert (observations[1] == single.reset(seed=6)[0]).all()
    actions = np.array([[0.1, 0.2], [0.6, 0.3]], dtype=np.float32)
    for _ in range(287):
        observations, rewards, _, truncated, _ = vector.step(actions)
        expected = single.step(actions[1])
        assert (observations[1] == expected[0]).all()
        assert rewards[1] == expected[1]
        assert not truncated.any()
    truncated, infos = vector.step(actions)[3:]
    assert truncated.all()
    assert infos["episode_account"][1].n_steps == 288
    rewards, truncated = vector.step(actions)[1:4:2]
    assert not truncated.any()
    assert (rewards == 0).all()
    single.close()
    vector.close()


def _short(specification: Specification) -> Specification:
    """Two start days, so that few simulators are warmed up."""
    return msgspec.structs.replace(specification, episode=msgspec.structs.replace(specification.episode, start_days=(1, 196)))


def test_without_energyplus_the_table_stands_and_the_rest_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pyenergyplus'] = None\n"
        "import gymnasium, rewardloop.simulators\n"
        "from rewardloop.errors import MissingExtra\n"
        "assert rewardloop.simulators.catalogue()\n"
        "try: gymnasium.make('rewardloop/LargeOffice-v0')\n"
        "except MissingExtra as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "EnergyPlus is not installed: pip install 'rewardloop[energyplus]'"
