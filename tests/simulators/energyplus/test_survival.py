"""What a simulator, its trainer or a person may do to each other: an error with a reason, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from buildings_played import JULY, MIDDLE, play
from processes import PATIENCE_S, alive, children, killed, until
from rewardloop.errors import Conflict, SimulatorFailed, SimulatorHung
from rewardloop.scratch import Scratch
from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled

TRAINER = Path(__file__).with_name("trainer.py")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where simulators of this test keep their files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def trainer(place: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(TRAINER)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(place)},
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        yield process
        process.kill()


def test_a_killed_trainer_leaves_no_process_and_no_file(trainer: subprocess.Popen[str], place: Path) -> None:
    until(lambda: len(_descendants(trainer.pid)) >= 5)  # zygote, template, two episodes, a clone
    family = _descendants(trainer.pid)
    trainer.kill()
    trainer.wait()
    until(lambda: not any(alive(pid) for pid in family))
    until(lambda: _files(place) == [])


def test_an_interrupted_trainer_ends_as_one_interrupted(trainer: subprocess.Popen[str], place: Path) -> None:
    family = _descendants(trainer.pid)
    os.killpg(trainer.pid, signal.SIGINT)
    _, said = trainer.communicate(timeout=PATIENCE_S)
    assert said.strip().splitlines()[-1] == "KeyboardInterrupt"
    until(lambda: not any(alive(pid) for pid in family))
    assert _files(place) == []


def test_files_of_those_who_were_all_killed_go_with_the_next_start(trainer: subprocess.Popen[str], place: Path) -> None:
    family = _descendants(trainer.pid)
    killed(trainer.pid, *family)
    trainer.wait()
    until(lambda: not any(alive(pid) for pid in family))
    with Scratch():
        assert _files(place) == []


def test_a_crashed_simulator_is_named_and_the_next_reset_is_well(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    expected = list(play(hall, MIDDLE, 3))
    hall.reset(options=JULY)
    os.kill(hall._running()._pid, signal.SIGKILL)  # type: ignore[attr-defined]
    with pytest.raises(SimulatorFailed, match=r"ended|crashed"):
        list(play(hall, MIDDLE, 2))
    hall.reset(options=JULY)
    assert list(play(hall, MIDDLE, 3)) == expected


def test_a_simulator_that_hangs_is_ended() -> None:
    specification = bundled("DataCenter-1Zone")
    episode = msgspec.structs.replace(specification.episode, step_timeout_s=1.5)
    env = EnergyPlusEnv(msgspec.structs.replace(specification, episode=episode), mode="fork")
    env.reset(options=JULY)
    pid = env._running()._pid  # type: ignore[attr-defined]
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(SimulatorHung, match=r"did not answer in 1\.5 s"):
        env.step(None)
    until(lambda: not alive(pid))
    env.close()


def test_a_warm_up_that_takes_too_long_is_ended_with_all_it_started(place: Path) -> None:
    specification = bundled("DataCenter-1Zone")
    episode = msgspec.structs.replace(specification.episode, start_timeout_s=0.01)
    env = EnergyPlusEnv(msgspec.structs.replace(specification, episode=episode), mode="fork")
    with pytest.raises(SimulatorHung, match="start_timeout_s"):
        env.reset(options=JULY)
    assert _files(place) == []
    env.close()


@pytest.mark.parametrize("mode", ["fork", "in-process"])
def test_what_energyplus_ends_a_run_for_is_quoted(mode: str) -> None:
    """Set-points that cross, which only the constraint keeps from EnergyPlus."""
    specification = bundled("DataCenter-1Zone")
    wide = msgspec.structs.replace(specification.actions["heating"], high=40.0)
    actions = {**specification.actions, "heating": wide}
    env = EnergyPlusEnv(msgspec.structs.replace(specification, actions=actions, constraints=()), mode=mode)  # type: ignore[arg-type]
    env.reset(options=JULY)
    with pytest.raises(SimulatorFailed, match=r"EnergyPlus ended the run .*Severe: .*[Ss]et[Pp]oint"):
        env.step(np.array([0.0, 1.0], dtype=np.float32))
    env.reset(options=JULY)
    assert len(list(play(env, (0.5, 0.1), 2))) == 2
    env.close()


def test_close_in_mid_episode_and_twice(place: Path) -> None:
    env = EnergyPlusEnv(bundled("DataCenter-1Zone"), mode="fork")
    env.reset(options=JULY)
    list(play(env, MIDDLE, 5))
    env.close()
    env.close()
    assert _files(place) == []
    with pytest.raises(Conflict):
        env.step(None)


def test_in_process_leaves_no_file_either(place: Path) -> None:
    env = EnergyPlusEnv(bundled("DataCenter-1Zone"), mode="in-process")
    env.reset(options=JULY)
    list(play(env, MIDDLE, 5))
    env.close()
    assert _files(place) == []


def test_templates_are_bounded(place: Path) -> None:
    specification = bundled("DataCenter-1Zone")
    episode = msgspec.structs.replace(specification.episode, templates=1)
    with Simulator(msgspec.structs.replace(specification, episode=episode), "fork") as simulator:
        env = EnergyPlusEnv(simulator.specification, simulator=simulator)
        running = EnergyPlusEnv(simulator.specification, simulator=simulator)
        running.reset(options={"day": 1})
        for day in (16, 31):
            env.reset(options={"day": day})
        assert len(list(play(running, None))) == 288  # its template is gone, it is not
        env.close()
        assert len({path.parent for path in _files(place) if path.name == "model.epJSON"}) == 2


def _files(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()]


def _descendants(pid: int) -> set[int]:
    own = set(children(pid))
    return own.union(*[_descendants(child) for child in own])
