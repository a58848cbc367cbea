"""The data centre of 2019 through gymnasium's interface: what it shows, takes, rewards, refuses."""

from __future__ import annotations

import re
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import rewardloop.simulators  # registers the ids
from buildings_played import JULY, MIDDLE, play
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.simulators.energyplus import EnergyPlusEnv, EpisodeAccount, Simulator


def test_the_example_of_2019_is_posed_as_it_was(hall: EnergyPlusEnv) -> None:
    assert [one.of for one in hall.specification.observations] == ["zone_temp_c", "outdoor_temp_c", "outdoor_humidity_percent"]
    assert hall.simulator.n_steps == 288
    assert hall.action_of({"cooling": 27.5, "heating": 12.5}).tolist() == [0.5, 0.5]
    with pytest.raises(InvalidInput, match="Expected a value for every action, got none for heating"):
        hall.action_of({"cooling": 27.5})
    assert hall.values_of(np.array([0.0, 1.0], dtype=np.float32)) == {"cooling": 22.0, "heating": 20.0}


def test_gymnasium_makes_it_by_id_and_finds_nothing_wrong(one_zone: Simulator) -> None:
    env = gymnasium.make("rewardloop/DataCenter-1Zone-v0", simulator=one_zone)
    check_env(env.unwrapped, skip_render_check=True, skip_close_check=True)
    env.close()


def test_the_reward_is_that_of_the_example(hall: EnergyPlusEnv) -> None:
    hall.reset(options={"day": 1})
    for _ in range(20):
        observation, reward, _, _, info = hall.step(np.array([1.0, 0.0], dtype=np.float32))
    outside = max(0.0, float(observation[0]) - 30)
    assert outside > 0
    assert reward == pytest.approx(-1e-5 * info["account"].power_kw * 1000 - 100 * outside, abs=1e-3)


def test_an_episode_is_a_day_and_its_account_adds_up(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    steps = [hall.step(np.array(MIDDLE, dtype=np.float32)) for _ in range(288)]
    account = steps[-1][4]["episode_account"]
    assert [step[3] for step in steps] == [False] * 287 + [True]
    assert account.energy_kwh == pytest.approx(sum(step[4]["account"].energy_kwh for step in steps))
    assert account.energy_kwh == pytest.approx(account.hvac_kwh + account.it_kwh)
    assert account.peak_kw == max(step[4]["account"].power_kw for step in steps)
    assert 1.0 < account.pue < 2.0


def test_the_coldest_constant_beats_the_middle_by_far(hall: EnergyPlusEnv) -> None:
    """The known degeneracy of this task, which every comparison must show."""
    returns = {}
    for name, action in {"middle": MIDDLE, "coldest": (0.0, 0.5)}.items():
        hall.reset(options=JULY)
        returns[name] = sum(reward for _, reward in play(hall, action))
    assert returns["coldest"] > returns["middle"] * 0.6


def test_the_start_is_drawn_by_the_seed(hall: EnergyPlusEnv) -> None:
    days = [hall.reset(seed=seed)[1]["day"] for seed in (1, 1, 2, 3)]
    assert days[0] == days[1]
    assert len(set(days)) > 1
    assert set(days) <= set(hall.specification.episode.start_days)


def test_constraints_hold_whatever_is_asked(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    applied = hall.step(np.array([0.0, 1.0], dtype=np.float32))[4]["applied"]
    assert applied == [22.0, 20.0]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ([np.nan, 0.5], "got nan - at `$.action[0]`"),
        ([0.5, 1.5], "from 0 to 1 for `heating`, got 1.5"),
        ([np.inf, 0.5], "got inf"),
        ([0.5], "Expected 2 numbers (cooling, heating), got 1"),
    ],
)
def test_an_action_that_means_nothing_is_refused_and_changes_nothing(hall: EnergyPlusEnv, action: list[float], said: str) -> None:
    hall.reset(options=JULY)
    expected = list(play(hall, MIDDLE, 3))
    hall.reset(options=JULY)
    with pytest.raises(InvalidInput) as refused:
        hall.step(np.array(action, dtype=np.float32))
    assert said in str(refused.value)
    assert list(play(hall, MIDDLE, 3)) == expected


@pytest.mark.parametrize("action", [3, ["low", "high"]])
def test_an_action_without_numbers_is_refused(hall: EnergyPlusEnv, action: Any) -> None:
    hall.reset(options=JULY)
    with pytest.raises(InvalidInput, match=re.escape(f"Expected 2 numbers (cooling, heating), got {action!r}")):
        hall.step(action)


def test_order_of_calls_and_options_are_checked(hall: EnergyPlusEnv) -> None:
    with pytest.raises(Conflict, match="call reset"):
        hall.step(np.array(MIDDLE, dtype=np.float32))
    with pytest.raises(InvalidInput, match="did you mean `weather`"):
        hall.reset(options={"wether": "x"})
    with pytest.raises(InvalidInput, match="from 1 to 365, got 400"):
        hall.reset(options={"day": 400})
    with pytest.raises(InvalidInput, match="did you mean `usa_ca_san_francisco`"):
        hall.reset(options={"weather": "usa_ca_san_fransisco"})


def test_none_leaves_everything_to_the_schedules_again(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    list(play(hall, MIDDLE, 10))
    list(play(hall, None, 20))
    observation = hall.step(None)[0]
    assert observation[0] == pytest.approx(24.0, abs=0.2)


def test_accounts_are_typed(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    info = [hall.step(None)[4] for _ in range(288)][-1]
    assert isinstance(info["episode_account"], EpisodeAccount)
    assert info["episode_account"].n_steps == 288


def test_the_table_names_what_is_registered() -> None:
    for entry in rewardloop.simulators.catalogue():
        assert entry.id in gymnasium.registry
        assert all((entry.about, entry.observation, entry.action, entry.reward, entry.source))
