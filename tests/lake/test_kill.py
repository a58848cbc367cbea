"""SIGKILL at any instant: a commit is wholly there or not at all, and what a killed process left is cleared away."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from builders import AT
from processes import until
from rewardloop.clock import SECOND
from rewardloop.lake import Lake
from rewardloop.lake.storage import Storage, files
from rewardloop.settings import Duration, RewardSettings

RULES = RewardSettings(window=Duration(5 * SECOND))

WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from builders import AT, decision, reward
from rewardloop.clock import SECOND
from rewardloop.lake import Lake
from rewardloop.settings import Duration, RewardSettings

lake = Lake(Path(sys.argv[1]), RewardSettings(window=Duration(5 * SECOND)))
i = int(lake.cursor or b"0")
while True:
    at = AT + i * SECOND
    lake.append([decision(f"e{i}", decided_at=at), reward(f"e{i}", i, rewarded_at=at + 1)], b"%d" % (i + 1))
    lake.join(at)
    i += 1
"""


def test_killed_at_any_instant_the_lake_goes_on_exactly_where_it_was(tmp_path: Path) -> None:
    rng = random.Random(7)
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(Path(__file__).parents[1])])
        _wait_for_commits(tmp_path, Storage(tmp_path).manifest.commits + 3, child)
        time.sleep(rng.random() * 0.1)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

        lake = Lake(tmp_path, RULES)
        n = int(lake.cursor)
        assert lake.ledger.decisions == lake.ledger.rewards_received == n
        assert lake.dataset().n <= n
    data = Lake(tmp_path, RULES).join(AT + (n + 10) * SECOND)
    (batch,) = data.interactions(batch=100_000)
    assert batch.event_ids == [f"e{i}" for i in range(n)]
    assert list(batch.reward) == list(range(n))
    manifest = Storage(tmp_path).manifest
    named = {name for part in manifest.parts for name in files(part)} | {file.name for file in manifest.retired}
    assert {path.name for path in tmp_path.iterdir()} == named | {"manifest.json"}


def _wait_for_commits(directory: Path, commits: int, child: subprocess.Popen[bytes]) -> None:
    until(lambda: Storage(directory).manifest.commits >= commits or child.poll() is not None)
    assert child.poll() is None
