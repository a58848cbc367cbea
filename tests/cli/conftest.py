"""Commands as a shell would run them, in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from rewardloop.cli import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


Rewardloop = Callable[..., Ran]


@pytest.fixture
def rewardloop(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rewardloop:
    """Runs `rewardloop …` in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REWARDLOOP_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = 0
        try:
            main(arguments)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def offers(rewardloop: Rewardloop) -> Rewardloop:
    """The same, with an experiment of three arms in offers.yaml."""
    assert rewardloop("init", "offers", "--actions", "red,green,blue").code == 0
    return rewardloop
