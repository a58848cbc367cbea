"""An application that opens its experiment and is forked then, as servers do that load it once for all their workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rewardloop.events import Decision, Reward
from rewardloop.log import Cursor, LogReader

FORKED = """
import os, sys
from rewardloop import Experiment, ExperimentSettings

def play(offers, n):
    for _ in range(n):
        decision = offers.decide({"age": 31})
        offers.reward(decision.event_id, 1.0)
        os.write(1, f"{decision.event_id}\\n".encode())

data, before, ends = sys.argv[1:]
with Experiment.open(ExperimentSettings(experiment="offers", actions=2), data) as offers:
    play(offers, int(before))
    children = []
    for _ in range(2):
        if not (child := os.fork()):
            play(offers, 20)
            if ends == "closes":
                offers.close()
            os._exit(0)
        children.append(child)
    play(offers, 20)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    play(offers, 5)
"""


@pytest.mark.parametrize("ends", ["closes", "is killed"])
@pytest.mark.parametrize("before", [0, 5])
def test_what_parent_and_children_are_answered_is_all_in_the_log(tmp_path: Path, before: int, ends: str) -> None:
    command = [sys.executable, "-c", FORKED, str(tmp_path), str(before), ends]
    answered = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    with LogReader(tmp_path / "experiments" / "offers" / "log") as reader:
        records, _ = reader.read(Cursor())
    assert len(set(answered)) == before + 3 * 20 + 5
    assert sorted(answered) == sorted(record.event_id for record in records if isinstance(record, Decision))
    assert sorted(answered) == sorted(record.event_id for record in records if isinstance(record, Reward))
