"""What makes a building easier to learn: actions that last, actions that correct the rules, rewards beside the schedules'."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from buildings_played import JULY, play
from rewardloop.errors import Conflict, InvalidInput, InvalidSettings
from rewardloop.simulators.energyplus import EnergyPlusEnv, made

COOL = (0.2, 0.5)


@contextmanager
def opened(**changed: object) -> Iterator[EnergyPlusEnv]:
    env = made("DataCenter-1Zone", **changed)  # type: ignore[arg-type]
    env.reset(options=JULY)
    try:
        yield env
    finally:
        env.close()


def test_an_action_that_lasts_is_the_same_action_again_and_again(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    one_by_one = list(play(hall, COOL))
    with opened(hold=12) as held:
        steps = [held.step(np.array(COOL, dtype=np.float32)) for _ in range(24)]
    assert [step[3] for step in steps] == [False] * 23 + [True]
    assert [step[1] for step in steps] == pytest.approx([sum(r for _, r in one_by_one[i : i + 12]) for i in range(0, 288, 12)])
    assert steps[-1][0].tobytes() == one_by_one[-1][0]
    assert steps[0][4]["account"].hours == pytest.approx(1.0)
    assert steps[-1][4]["episode_account"].n_steps == 288
    assert sum(step[4]["account"].energy_kwh for step in steps) == pytest.approx(steps[-1][4]["episode_account"].energy_kwh)


def test_an_action_lasts_no_odd_part_of_a_day() -> None:
    with pytest.raises(InvalidSettings, match=r"divides a day's 288 time steps, got 7 - at `\$\.episode\.hold`"):
        made("DataCenter-1Zone", hold=7)


def test_a_correction_of_nothing_is_the_rules(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    ruled = hall.baselines()["rules"]
    observation, _ = hall.reset(options=JULY)
    expected = hall.step(ruled(observation))
    with opened(reach=0.25) as corrected:
        found = corrected.step(np.array([0.5, 0.5], dtype=np.float32))
        moved = corrected.step(np.array([1.0, 0.5], dtype=np.float32))[4]["applied"]
    assert found[0].tobytes() == expected[0].tobytes()
    assert found[4]["applied"] == pytest.approx(expected[4]["applied"])
    assert moved[0] == pytest.approx(expected[4]["applied"][0] + 0.25 * 15)


def test_corrections_are_refused_like_any_action() -> None:
    with opened(reach=0.25) as corrected:
        for bad in ([np.nan, 0.5], [1.5, 0.5], [0.5]):
            with pytest.raises(InvalidInput, match=r"\$\.action"):
                corrected.step(np.array(bad, dtype=np.float32))
        with pytest.raises(Conflict, match="without `reach`"):
            corrected.action_of({"cooling": 24.0, "heating": 15.0})
    with pytest.raises(InvalidInput, match="Expected `float` <= 1"):
        made("DataCenter-1Zone", reach=2.0)


def test_beside_the_schedules_they_earn_nothing_and_others_their_difference(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    scheduled = [hall.step(None)[1] for _ in range(5)]
    hall.reset(options=JULY)
    cool = [reward for _, reward in play(hall, COOL, 5)]
    with opened(relative=True) as beside:
        assert [beside.step(None)[1] for _ in range(5)] == [0.0] * 5
        beside.reset(options=JULY)
        found = [beside.step(np.array(COOL, dtype=np.float32)) for _ in range(5)]
    assert [step[1] for step in found] == pytest.approx([one - other for one, other in zip(cool, scheduled, strict=True)])
    assert sum(found[0][4]["reward_terms"].values()) == pytest.approx(cool[0])


def test_a_term_weighs_what_is_said_and_no_other_is_known() -> None:
    hot = np.array([1.0, 0.5], dtype=np.float32)
    with opened() as env, opened(weights={"temperature": -200.0}) as heavier:
        terms, heavy = ([one.step(hot)[4]["reward_terms"] for _ in range(40)][-1] for one in (env, heavier))
    assert terms["temperature"] < 0
    assert heavy == pytest.approx({"power": terms["power"], "temperature": 2 * terms["temperature"]})
    with pytest.raises(InvalidInput, match=r"`temperatur`; did you mean `temperature`\? - at `\$\.weights`"):
        made("DataCenter-1Zone", weights={"temperatur": 1.0})
    with pytest.raises(InvalidInput, match=r"Expected a number, got `nan` - at `\$\.weights\.power`"):
        made("DataCenter-1Zone", weights={"power": float("nan")})
