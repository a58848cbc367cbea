"""SIGKILL at any instant: what was acknowledged is there, whole, and nothing is there in part."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from rewardloop.events import Decision, Record
from rewardloop.log import Cursor, LogReader, seal_abandoned
from rewardloop.testing.log import drain

WRITER = """
import sys
from pathlib import Path
import builders
from rewardloop.log import LogWriter
from rewardloop.settings import LogSettings

directory, name, durability = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
writer = LogWriter(directory, LogSettings(segment_mb=1, durability=durability), name)
for n in range(1_000_000):
    size = 1 + n % 3
    context = b"%d " % n * 2_000
    writer.commit([builders.decision(f"{name}/{n}/{i}/{size}", context=context) for i in range(size)])
    print(n, flush=True)
"""


FIRST = 25
"""Commits of a writer before it may be killed: on a busy machine too there is something to lose."""


def start(directory: Path, name: str, durability: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", WRITER, str(directory), name, durability]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, bufsize=0, cwd=Path(__file__).parents[1])


def kill(process: subprocess.Popen[bytes]) -> int:
    """The number of commits acknowledged; a line cut short was not."""
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    return out.count(b"\n")


def groups(records: list[Record], name: str) -> list[tuple[int, int, int]]:
    """(commit, place in it, size of it) of each record of a writer; checks that none is torn."""
    found = []
    for record in records:
        assert isinstance(record, Decision)
        writer, *numbers = record.event_id.split("/")
        commit, place, size = map(int, numbers)
        assert record.context == b"%d " % commit * 2_000
        if writer == name:
            found.append((commit, place, size))
    return found


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    chance = random.Random(0)
    acknowledged: dict[str, int] = {}
    with LogReader(tmp_path) as reader:
        records: list[Record] = []
        cursor = Cursor()
        for turn in range(12):
            names = [f"w{turn}-{i}" for i in range(2)]
            processes = [start(tmp_path, name, "process" if turn % 3 else "disk") for name in names]
            for process in processes:
                assert process.stdout is not None
                for _ in range(FIRST):
                    process.stdout.readline()
            time.sleep(chance.random() * 0.15)
            for name, process in zip(names, processes, strict=True):
                acknowledged[name] = FIRST + kill(process)
            found, cursor = drain(reader, cursor)
            records += found
            if turn % 2:
                seal_abandoned(tmp_path)
        for name, count in acknowledged.items():
            found_groups = groups(records, name)
            commits = 1 + found_groups[-1][0]
            assert commits >= count
            assert found_groups == [(n, i, 1 + n % 3) for n in range(commits) for i in range(1 + n % 3)]


def test_the_dead_are_tidied_up_after(tmp_path: Path) -> None:
    process = start(tmp_path, "w", "process")
    assert process.stdout is not None
    for _ in range(120):
        process.stdout.readline()
    assert seal_abandoned(tmp_path) == []
    kill(process)
    with LogReader(tmp_path) as reader:
        before = drain(reader, Cursor())[0]
    assert seal_abandoned(tmp_path)
    assert seal_abandoned(tmp_path) == []
    assert {path.suffix for path in tmp_path.iterdir()} == {".segment"}
    with LogReader(tmp_path) as reader:
        assert drain(reader, Cursor())[0] == before
