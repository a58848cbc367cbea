"""The root of signed requests: made once, readable by its owner alone, refused when it is not whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rewardloop.errors import Corrupt
from rewardloop.registry.signing import ROOT_BYTES, make_signing_root, signing_root


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "signing.root"
    assert signing_root(path) is None
    made = make_signing_root(path, os.urandom)
    assert made == make_signing_root(path, os.urandom) == signing_root(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["signing.root"]


def test_what_a_kill_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "signing.root"
    (tmp_path / f".signing.root.{os.getpid()}").write_bytes(b"half")
    assert len(make_signing_root(path, os.urandom)) == ROOT_BYTES


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_file_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "signing.root"
    path.write_bytes(bytes(length))
    with pytest.raises(Corrupt, match="put back a copy"):
        make_signing_root(path, os.urandom)
