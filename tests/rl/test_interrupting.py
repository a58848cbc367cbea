"""Ctrl-C in a training with workers, as a terminal sends it: to all of them, at any instant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from processes import PATIENCE_S, alive, until
from rewardloop.rl.runs.run import Runs

TESTS = Path(__file__).parents[1]
SCRIPT = """
import os, sys
from pathlib import Path
from rewardloop.clock import SystemClock
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rl.test_training import a_plan
if __name__ == "__main__":
    world = {"leave_word": sys.argv[2]}
    plan = a_plan("Announced", world=world, n_workers=2, n_steps=10**9)
    start(Runs(Path(sys.argv[1])), plan, Watching(eval_episodes=0), SystemClock(), name="cut")
"""


def test_workers_say_nothing_of_it_and_none_is_left(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(tmp_path / "words")]
    given = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True, start_new_session=True) as trainer:
        until(lambda: len(made(tmp_path / "words") - {trainer.pid}) == 2)
        workers = made(tmp_path / "words")
        os.killpg(trainer.pid, signal.SIGINT)
        _, said = trainer.communicate(timeout=PATIENCE_S)
    assert said.count("Traceback (most recent call last)") <= 1, said
    assert said.strip().endswith("KeyboardInterrupt")
    until(lambda: not any(map(alive, workers)))
    assert Runs(tmp_path).find("cut").read().status == "interrupted"


def made(words: Path) -> set[int]:
    """The processes that have made the environment."""
    return {int(word.name) for word in words.iterdir()}
