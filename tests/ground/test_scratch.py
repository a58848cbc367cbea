"""Working files are gone when their process is, however it ended; those of the living stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading

import pytest

from processes import killed
from rewardloop.scratch import Scratch

HOLDER = """
import sys
from rewardloop.scratch import Scratch
with Scratch() as place:
    (place / "file").write_text("half")
    print(place, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_left_by_who_ends_well_or_in_an_error(place):
    with Scratch() as one, Scratch() as other:
        (one / "file").touch()
        assert one != other
        assert one.parent == other.parent == place / f"rewardloop-{os.getuid()}"
        assert one.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError), Scratch() as one:
        one.mkdir()
    assert list(place.iterdir()) == []


def test_what_the_killed_left_goes_with_the_next_and_the_living_keep_theirs(place):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(place)},
        )
        for _ in range(2)
    ]
    dead, living = (process.stdout.readline().strip() for process in started)
    killed(started[0].pid)
    started[0].communicate()
    assert os.path.exists(dead)
    with Scratch():
        assert not os.path.exists(dead)
        assert os.path.exists(f"{living}/file")
    started[1].communicate()
    assert list(place.iterdir()) == []


def test_a_child_that_inherited_it_holds_it(place):
    scratch = Scratch()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=[scratch.descriptor]
    ):
        scratch.let_go()
        with Scratch():
            assert scratch.path.exists()
    scratch.close()
    assert list(place.iterdir()) == []


def test_many_come_and_go_at_once(place):
    def come_and_go():
        for _ in range(50):
            with Scratch() as mine:
                (mine / "file").write_text("mine")
                assert (mine / "file").read_text() == "mine"
        done.append(True)

    done: list[bool] = []
    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert list(place.iterdir()) == []


def test_a_link_that_somebody_else_put_there_is_not_followed(place):
    (place / "elsewhere").mkdir()
    (place / f"rewardloop-{os.getuid()}").symlink_to(place / "elsewhere")
    with pytest.raises(OSError, match="rewardloop-"):
        Scratch()
    assert list((place / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a directory to somebody else")
def test_a_place_that_somebody_else_made_is_refused(place):
    theirs = place / f"rewardloop-{os.getuid()}"
    theirs.mkdir()
    os.chown(theirs, 12_345, -1)
    with pytest.raises(PermissionError, match="this user's own"):
        Scratch()
    assert list(theirs.iterdir()) == []
