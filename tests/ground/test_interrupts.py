"""Ctrl-C while processes start, and where somebody swallows it: it counts, and no child hears it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from rewardloop.interrupts import deferred, inherited_deafness, remembered

CHILD = "import os, signal, sys\nsys.stdin.read()\nos.kill(os.getpid(), signal.SIGINT)\nprint('went on')"


def test_a_child_that_is_born_deaf_does_not_hear_ctrl_c_whenever_it_comes():
    with inherited_deafness():
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.send_signal(signal.SIGINT)  # Perhaps before its first instruction.
    assert child.communicate() == ("went on\n", None)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_while_processes_start_counts_when_they_have_started():
    started = []

    def start():
        with deferred():
            os.kill(os.getpid(), signal.SIGINT)
            started.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert started
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


POOL = """
import multiprocessing, signal
from rewardloop.interrupts import deferred

def hears():
    print(signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)

if __name__ == "__main__":
    for how in ("spawn", "forkserver"):
        with deferred():
            process = multiprocessing.get_context(how).Process(target=hears)
            process.start()
        process.join()
    hears()
"""


def test_the_first_processes_of_multiprocessing_are_deaf_too(tmp_path):
    (tmp_path / "pool.py").write_text(POOL)
    ran = subprocess.run([sys.executable, str(tmp_path / "pool.py")], capture_output=True, text=True, check=True)
    assert (ran.stdout.split(), ran.stderr) == (["False", "False", "True"], "")


def test_ctrl_c_that_was_swallowed_counts_at_the_next_look():
    with remembered() as again:
        again()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            again()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_whoever_has_ctrl_c_elsewhere_keeps_it():
    def in_a_thread():
        with deferred(), remembered() as again:
            again()
        done.append("both")

    done: list[str] = []
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert done == ["both"]
    before = signal.signal(signal.SIGINT, lambda *_: done.append("theirs"))
    try:
        with remembered() as again:
            signal.raise_signal(signal.SIGINT)
            again()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["both", "theirs"]
