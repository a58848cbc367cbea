"""Runs: the manifest tells the truth, a killed run goes on to the same weights, and whatever goes wrong says what it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processes import PATIENCE_S
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput, NotFound, SimulatorFailed, SimulatorHung, TrainingFailed, UnknownRun
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.playing.evaluating import exported_of
from rewardloop.rl.runs.checkpoints import checkpoints
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import Report, resume, start
from rewardloop.rl.scripts import run_script
from rewardloop.rl.toolkit import Plan

TESTS = Path(__file__).parents[1]
SMALL: dict[str, Any] = {"n_steps": 40, "batch_size": 20, "n_epochs": 2, "net_arch": [8]}


def a_plan(env: str = "Tracking", **changes: Any) -> Plan:
    made = {"algorithm": "ppo", "n_steps": 160, "checkpoint_every": 40, "parameters": SMALL, **changes}
    return Plan(env=EnvSpec(f"rl_worlds:{env}", made.pop("world", {})), toolkit="sb3", **made)


def test_a_run_leaves_a_manifest_checkpoints_progress_and_event_files(tmp_path: Path) -> None:
    shown: list[Report] = []
    done = start(Runs(tmp_path), a_plan(), Watching(eval_episodes=2), ManualClock(), show=shown.append)
    directory = Runs(tmp_path).find("ppo-tracking-1")
    assert directory.read() == done
    assert (done.status, done.n_steps, done.plan.seed) == ("done", 160, 0)
    assert done.versions["stable-baselines3"]
    assert done.best is not None
    assert done.best.mean_return == max(report.evaluation for report in shown if report.evaluation is not None)
    assert directory.chosen("best").name == f"{done.best.n_steps:012d}"
    lines = directory.progress.read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Report) for line in lines] == shown
    assert list(directory.tensorboard.glob("events.out.tfevents.*"))


def test_it_ends_early_when_it_is_good_enough_or_no_longer_better(tmp_path: Path) -> None:
    good = start(Runs(tmp_path), a_plan(), Watching(eval_episodes=1, stop_at=-1e9), ManualClock())
    assert (good.status, good.n_steps) == ("stopped", 40)
    assert "reached" in good.reason
    still = {**SMALL, "learning_rate": 0.0}
    bored = start(Runs(tmp_path), a_plan(parameters=still), Watching(eval_episodes=1, patience=2), ManualClock())
    assert (bored.status, bored.n_steps) == ("stopped", 120)
    assert "better" in bored.reason


def test_a_run_killed_by_the_kernel_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = start(Runs(tmp_path), a_plan(normalise=True), Watching(eval_episodes=1), ManualClock(), name="whole")
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom rl.test_training import a_plan\n"
        "from rewardloop.clock import SystemClock\n"
        "from rewardloop.rl.runs.run import Runs, Watching\nfrom rewardloop.rl.runs.training import start\n"
        "def die(report):\n    if report.progress.n_steps >= 80: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"runs, watching = Runs(Path({str(tmp_path)!r})), Watching(eval_episodes=1)\n"
        "start(runs, a_plan(normalise=True), watching, SystemClock(), name='cut', show=die)"
    )
    died = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(TESTS)}, check=False)
    assert died.returncode == -signal.SIGKILL
    cut = Runs(tmp_path).find("cut")
    assert cut.read().status == "running"
    ended = resume(Runs(tmp_path), "cut", ManualClock())
    assert (ended.status, ended.n_resumed, ended.best) == ("done", 1, whole.best)
    last = checkpoints(cut.checkpoints)[-1]
    twin = Runs(tmp_path).find("whole").checkpoints / last.name
    assert (last / "policy.npz").read_bytes() == (twin / "policy.npz").read_bytes()
    assert len(cut.progress.read_bytes().splitlines()) == 4


def test_a_finished_run_trains_on_only_when_told_how_far(tmp_path: Path) -> None:
    start(Runs(tmp_path), a_plan(n_steps=40), Watching(eval_episodes=0), ManualClock())
    with pytest.raises(Conflict, match="--steps"):
        resume(Runs(tmp_path), "ppo-tracking-1", ManualClock())
    assert resume(Runs(tmp_path), "ppo-tracking-1", ManualClock(), n_steps=80).n_steps == 80


def test_a_checkpoint_of_another_environment_is_refused(tmp_path: Path) -> None:
    start(Runs(tmp_path), a_plan(n_steps=40), Watching(eval_episodes=0), ManualClock())
    directory = Runs(tmp_path).find("ppo-tracking-1")
    manifest = directory.read()
    other = msgspec.structs.replace(manifest.plan, env=EnvSpec("rl_worlds:Several"))
    directory.write(msgspec.structs.replace(manifest, plan=other))
    with pytest.raises(Conflict, match="do not fit"):
        resume(Runs(tmp_path), "ppo-tracking-1", ManualClock(), n_steps=80)
    with pytest.raises(Conflict, match="do not fit"):
        exported_of(directory, "last")


def test_a_worker_that_raises_dies_or_hangs_is_named_with_its_last_words(tmp_path: Path) -> None:
    for world, words in (({"fail_at": 5}, "the boiler burst"), ({"die_at": 5}, "killed by signal 9"), ({"hang_at": 5}, "in time")):
        runs = Runs(tmp_path / words.replace(" ", ""))
        step_timeout_s = 4.0 if "hang_at" in world else PATIENCE_S
        with pytest.raises(TrainingFailed, match=rf"worker \d of 2 .*{words}"):
            start(runs, a_plan(world=world, n_workers=2, step_timeout_s=step_timeout_s), Watching(), ManualClock())
        manifest = runs.find("ppo-tracking-1").read()
        assert manifest.status == "failed"
        assert words in manifest.reason


def test_an_environment_that_raises_in_this_process_is_quoted_too(tmp_path: Path) -> None:
    with pytest.raises(SimulatorFailed, match=r"failed at step 5: RuntimeError: the boiler burst \(rl_worlds.py:\d+\)"):
        start(Runs(tmp_path), a_plan(world={"fail_at": 5}), Watching(), ManualClock())


def test_an_environment_that_hangs_in_this_process_is_ended_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(SimulatorHung, match=r"did not answer step 5 within 4 s.*rl_worlds.py:\d+"):
        start(Runs(tmp_path), a_plan(world={"hang_at": 5}, step_timeout_s=4.0), Watching(), ManualClock())
    assert Runs(tmp_path).find("ppo-tracking-1").read().status == "failed"


@pytest.mark.parametrize(
    ("how", "words"), [("shape", r"n\.a to be of the space.*the shape \(3,\)"), ("nan", "finite"), ("more", "got .*'c'")]
)
def test_an_environment_whose_space_changes_is_named_and_the_run_says_so(tmp_path: Path, how: str, words: str) -> None:
    with pytest.raises(SimulatorFailed, match=rf"failed at step 5: ValueError: expected the .*{words}"):
        start(Runs(tmp_path), a_plan("Changing", world={"how": how}), Watching(), ManualClock())
    assert Runs(tmp_path).find("ppo-changing-1").read().status == "failed"


@pytest.mark.parametrize(
    ("env", "algorithm"),
    [
        ("Several", "ppo"),
        ("Switches", "ppo"),
        ("Numbered", "ppo"),
        ("Pixels", "ppo"),
        ("Masked", "maskableppo"),
        ("MaskedSeveral", "maskableppo"),
    ],
)
def test_every_kind_of_space_is_trained_on(tmp_path: Path, env: str, algorithm: str) -> None:
    done = start(Runs(tmp_path), a_plan(env, algorithm=algorithm, n_steps=40), Watching(eval_episodes=1), ManualClock())
    assert (done.status, done.best is not None) == ("done", True)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"algorithm": "sac", "env": "Choosing"}, InvalidInput, "takes box actions.*these can: ppo"),
        ({"algorithm": "maskableppo", "env": "Choosing"}, InvalidInput, "action_masks"),
        ({"algorithm": "crossq", "env": "Pixels"}, InvalidInput, "box actions"),
        ({"algorithm": "popo"}, InvalidInput, "did you mean `ppo`"),
        ({"env": "Trackin"}, NotFound, "did you mean `Tracking`"),
        ({"world": {"speed": 1}}, InvalidInput, "does not take these parameters"),
        ({"normalise": True, "env": "Numbered"}, InvalidInput, "real numbers to normalise"),
        ({"ray": "auto"}, InvalidInput, "one machine"),
        ({"parameters": {"batch_size": "many"}}, InvalidInput, "refuses its hyperparameters"),
        ({"parameters": {"activation": "rely"}}, InvalidInput, "did you mean `relu`"),
        ({"parameters": {"gamma": "abc"}}, InvalidInput, r"expected a number as `gamma` \(by default 0.99\), got `abc`"),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        start(Runs(tmp_path), a_plan(**changes), Watching(), ManualClock())


def test_an_unknown_run_is_refused_with_the_nearest(tmp_path: Path) -> None:
    start(Runs(tmp_path), a_plan(n_steps=40), Watching(eval_episodes=0), ManualClock(), name="boiler")
    with pytest.raises(UnknownRun, match="did you mean `boiler`"):
        Runs(tmp_path).find("boilr")
    with pytest.raises(Conflict, match="--resume boiler"):
        start(Runs(tmp_path), a_plan(), Watching(), ManualClock(), name="boiler")


SCRIPT = """
import json, os, pathlib, sys
given = json.loads(pathlib.Path(os.environ["REWARDLOOP_HYPERPARAMETERS"]).read_text())
pathlib.Path(os.environ["SM_MODEL_DIR"], "seen.json").write_text(json.dumps([sys.argv[1:], given, os.environ["REWARDLOOP_SEED"]]))
print("training")
sys.exit(given["code"])
"""


def test_a_script_of_ones_own_is_given_its_directory_and_hyperparameters(tmp_path: Path) -> None:
    script, said = tmp_path / "train.py", list[str]()
    script.write_text(SCRIPT)
    plan = Plan(env=EnvSpec(""), toolkit="", algorithm="", n_steps=10, seed=7, parameters={"code": 0, "net": [8]})
    done = run_script(Runs(tmp_path), script, plan, ManualClock(), facts=None, environ=os.environ, say=said.append)
    root = Runs(tmp_path).find("train-1").root
    assert (done.status, said) == ("done", ["training"])
    assert msgspec.json.decode((root / "model/seen.json").read_bytes()) == [
        ["--code", "0", "--net", "[8]"],
        {"code": 0, "net": [8]},
        "7",
    ]
    assert (root / "script.log").read_text() == "training\n"


def test_a_script_that_fails_is_quoted(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    plan = Plan(env=EnvSpec(""), toolkit="", algorithm="", n_steps=10, parameters={"code": 3})
    with pytest.raises(TrainingFailed, match="exit code 3; its last words: training"):
        run_script(Runs(tmp_path), script, plan, ManualClock(), facts=None, environ=os.environ)
    assert Runs(tmp_path).find("train-1").read().status == "failed"
