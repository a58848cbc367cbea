"""The demonstration with its real server and its real loop: it learns, it leaves what it promised, and never a process."""

from __future__ import annotations

import io
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from processes import PATIENCE_S, mentioning, says, started, until
from rewardloop.clock import SystemClock
from rewardloop.demo.playbook import fresh, perform, settings_for
from rewardloop.demo.playing import Pace
from rewardloop.demo.processes import ChildFailed
from rewardloop.errors import Conflict, InvalidSettings
from rewardloop.registry import Catalog
from rewardloop.settings import load_settings
from rewardloop.worlds.classification import World, from_file

ROUNDS = 800


@pytest.fixture
def world(tmp_path) -> World:
    file = tmp_path / "three offers.csv"
    file.write_text("x;country;offer\n" + '0;"de";red\n1;"de";green\n0;"fr";green\n1;"fr";blue\n' * 25)
    return from_file(file)


class Patient(Console):
    """From the first hundred rounds on it holds the demonstration up until the loop has learned from what was played.

    So what is learned does not depend on how busy the machine is.
    """

    def __init__(self, data: Path) -> None:
        super().__init__(file=io.StringIO(), width=80)
        self._data = data
        self._lines = 0
        self._newest = ""

    def print(self, *objects: object, **options: object) -> None:  # type: ignore[override]
        super().print(*objects, **options)  # type: ignore[arg-type]
        self._lines += 1
        if 4 <= self._lines <= 11:  # After 100, 200, … rounds; then come the empty line and the table.
            until(self._has_learned)

    def _has_learned(self) -> bool:
        with Catalog(self._data) as catalog:
            newest = catalog.newest_model("three-offers")
        if newest is None or newest.model_id == self._newest:
            return False
        self._newest = newest.model_id
        return True


def test_it_learns_and_leaves_what_it_promised(world, tmp_path):
    out = tmp_path / "out"
    console = Patient(out / "data")
    scores = perform(world, None, Pace(rounds=ROUNDS, rounds_per_second=1_000), out, console=console, clock=SystemClock())
    assert scores.rounds == ROUNDS
    assert scores.mean > 1.2 / 3  # Chance earns 1/3; when the gate first lets a model pass is chance too.
    assert sum(scores.means[-4:]) / 4 > 0.75
    assert len(scores.models) > 2
    assert (out / "reward.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    page = (out / "reward.html").read_text()
    assert "default-src 'none'" in page
    assert "<script src" not in page
    assert load_settings(out / "three-offers.yaml").settings.action_ids == ("blue", "green", "red")
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, shown.splitlines())) <= 80
    for name in ("uniform", "best fixed arm", "bandit, all rounds", "full-information skyline"):
        assert f"\n{name} " in shown
    until(lambda: mentioning(str(out)) == [])


def test_when_the_server_dies_it_says_so_with_the_last_line_of_its_log(world, tmp_path):
    out = tmp_path / "out"
    console = Killing(out, "serve")
    with pytest.raises(ChildFailed, match=r"The server was killed by signal 9: .*serve\.log"):
        perform(world, None, Pace(rounds=2_000), out, console=console, clock=SystemClock())
    until(lambda: mentioning(str(out)) == [])


def test_when_the_loop_dies_it_says_so(world, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ChildFailed, match="The loop was killed by signal 9"):
        perform(world, None, Pace(rounds=2_000), out, console=Killing(out, "run"), clock=SystemClock())
    until(lambda: mentioning(str(out)) == [])


class Killing(Console):
    """Kills a process of the demonstration as soon as something is shown."""

    def __init__(self, out: Path, command: str) -> None:
        super().__init__(file=io.StringIO(), width=80)
        self._out, self._command = str(out), command

    def print(self, *objects: object, **options: object) -> None:  # type: ignore[override]
        for process in mentioning(self._out):
            with suppress(OSError):  # One of them may just have ended.
                if f"\0{self._command}\0" in Path(f"/proc/{process}/cmdline").read_text():
                    os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_no_process(world, tmp_path, number, code):
    out, said = tmp_path / "out", tmp_path / "said.txt"
    arguments = ["demo", "--data", str(tmp_path / "three offers.csv"), "--out", str(out)]
    with started(*arguments, cwd=tmp_path, out=said) as process:
        until(says(said, "of 16,000 rounds"))
        assert len(mentioning(str(out))) >= 3
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == code
    assert "Traceback" not in said.read_text()
    until(lambda: mentioning(str(out)) == [])


def test_an_earlier_demonstration_is_replaced_and_nothing_else(tmp_path):
    fresh(tmp_path / "out")
    (tmp_path / "out" / "old").touch()
    fresh(tmp_path / "out")
    assert not (tmp_path / "out" / "old").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(Conflict, match="use another --out"):
        fresh(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_labels_that_cannot_be_actions_are_refused_before_anything_starts(tmp_path):
    (tmp_path / "long.csv").write_text("x,y\n" + f"1,a\n2,{'b' * 300}\n" * 3)
    with pytest.raises(InvalidSettings, match="1 to 256 characters"):
        settings_for(from_file(tmp_path / "long.csv"), None, Pace())
