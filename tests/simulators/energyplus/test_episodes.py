"""Forked, in process, repeated, cloned: the same bits. And nothing that stays behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buildings_played import JULY, MIDDLE, play
from rewardloop.errors import Conflict
from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled

ONE_ZONE = "DataCenter-1Zone"


@pytest.fixture(scope="module")
def forked(one_zone: Simulator) -> list[tuple[bytes, float]]:
    return _played(EnergyPlusEnv(one_zone.specification, simulator=one_zone))


def _played(env: EnergyPlusEnv) -> list[tuple[bytes, float]]:
    try:
        env.reset(seed=1, options=JULY)
        return [*play(env, MIDDLE, 50), *play(env, (0.1, 0.9), 50), *play(env, None)]
    finally:
        env.close()


def test_a_repeat_gives_the_same_bits(one_zone: Simulator, forked: list[tuple[bytes, float]]) -> None:
    assert _played(EnergyPlusEnv(one_zone.specification, simulator=one_zone)) == forked


def test_another_process_gives_the_same_bits(forked: list[tuple[bytes, float]]) -> None:
    assert _played(EnergyPlusEnv(bundled(ONE_ZONE), mode="fork")) == forked


def test_this_process_gives_the_same_bits_twice(forked: list[tuple[bytes, float]]) -> None:
    env = EnergyPlusEnv(bundled(ONE_ZONE), mode="in-process")
    assert _played(env) == forked
    assert _played(env) == forked


def test_a_clone_goes_on_as_the_original_would(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    list(play(hall, MIDDLE, 30))
    clone = hall.clone_state()
    tried = list(play(clone, (0.0, 0.0), 20))
    again = hall.clone_state()
    assert list(play(again, (0.0, 0.0), 20)) == tried
    clone.close()
    again.close()
    assert len(list(play(hall, MIDDLE))) == 288 - 30


def test_a_clone_outlives_its_original(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    clone = hall.clone_state()
    expected = list(play(hall, MIDDLE, 5))
    hall.close()
    assert list(play(clone, MIDDLE, 5)) == expected
    clone.close()


def test_an_episode_in_this_process_refuses_to_be_cloned() -> None:
    env = EnergyPlusEnv(bundled(ONE_ZONE), mode="in-process")
    env.reset(options=JULY)
    with pytest.raises(Conflict, match="mode: fork"):
        env.clone_state()
    env.close()


def test_many_resets_leave_nothing_behind(one_zone: Simulator, hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    files, before = len(os.listdir("/proc/self/fd")), _family(os.getpid())
    for _ in range(100):
        hall.reset(options=JULY)
        hall.step(None)
    assert len(os.listdir("/proc/self/fd")) == files
    hall.reset(options=JULY)
    assert len(_family(os.getpid())) <= len(before) + 1


def _family(pid: int) -> set[int]:
    """A process's descendants that are no zombies."""
    children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    found = {child for child in children if "Z (zombie)" not in Path(f"/proc/{child}/status").read_text()}
    return found.union(*[_family(child) for child in found])
