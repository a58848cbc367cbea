"""Exactly one holder, whose death gives the lease back."""

import os
import signal
import subprocess
import sys

import pytest

from rewardloop.errors import Conflict, DirectoryInUse, StorageUnavailable
from rewardloop.registry import Lease

HOLD = """
import sys, time
from pathlib import Path
from rewardloop.registry import Lease
with Lease(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def hold(path) -> subprocess.Popen:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_is_told_who_the_first_is_until_that_is_killed(tmp_path):
    path = tmp_path / "data" / "server.lock"
    process = hold(path)
    try:
        with (
            pytest.raises(DirectoryInUse, match=rf"data is in use by process {process.pid} on .* since 2.*server\.lock"),
            Lease(path),
        ):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with Lease(path), pytest.raises(DirectoryInUse, match=f"process {os.getpid()} on"), Lease(path):
        pass


def test_a_lease_can_be_taken_again_after_it_was_given_back(tmp_path):
    lease = Lease(tmp_path / "trainer.lock")
    for _ in range(3):
        with lease:
            pass
    with lease, pytest.raises(Conflict, match="held already"):
        lease.__enter__()


def test_an_error_inside_gives_the_lease_back(tmp_path):
    path = tmp_path / "trainer.lock"
    with pytest.raises(ZeroDivisionError), Lease(path):
        _ = 1 / 0
    with Lease(path):
        pass


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b'{"pid": "x", "host": 3}', b"x" * 10_000])
def test_a_lock_file_that_says_nothing_still_locks(tmp_path, raw):
    path = tmp_path / "server.lock"
    with Lease(path):
        path.write_bytes(raw)
        with pytest.raises(DirectoryInUse, match="in use by another process"), Lease(path):
            pass


def test_a_child_that_leaves_does_not_take_the_lease_along(tmp_path):
    path = tmp_path / "server.lock"
    body = """
import os, sys
from pathlib import Path
from rewardloop.errors import DirectoryInUse
from rewardloop.registry import Lease
with Lease(Path(sys.argv[1])) as lease:
    child = os.fork()
    if child == 0:
        lease.__exit__(None, None, None)
        os._exit(0)
    os.waitpid(child, 0)
    try:
        with Lease(Path(sys.argv[1])):
            print("taken")
    except DirectoryInUse:
        print("kept")
"""
    assert subprocess.run([sys.executable, "-c", body, str(path)], capture_output=True, text=True, check=True).stdout == "kept\n"


def test_a_place_where_no_file_can_be_is_unavailable(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageUnavailable), Lease(tmp_path / "data" / "server.lock"):
        pass
