"""A saved model whose width is not what its weights have is refused in one sentence, and nothing is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewardloop.errors import CorruptModel
from rewardloop.policies import load_policy, new_policy
from rewardloop.policies.model_files import write_model
from vw_worlds import events, settings


def forged(tmp_path: Path, engine: str, was: bytes, becomes: bytes) -> Path:
    """A model that learned something, its state edited and its checksums right."""
    exploration, files = {"vw": ("regcbopt", ("vw.json", "weights.vw")), "ridge": ("lints", ("ridge.json", "ridge.npz"))}[engine]
    policy, saved, edited = new_policy(settings(exploration), 0), tmp_path / "saved", tmp_path / "edited"
    saved.mkdir()
    edited.mkdir()
    policy.learn(events(60))
    policy.save(saved)
    state = (saved / files[0]).read_bytes()
    assert was in state
    write_model(edited, engine, {files[0]: state.replace(was, becomes), files[1]: (saved / files[1]).read_bytes()})
    return edited


def test_a_feature_hash_of_another_width(tmp_path: Path) -> None:
    edited = forged(tmp_path, "vw", b'"bits":14', b'"bits":16')
    with pytest.raises(CorruptModel, match=r"'bit_precision': '16' vs '14' - at `.*edited`$") as refused:
        load_policy(edited)
    assert "\n" not in str(refused.value)


def test_sums_of_another_width(tmp_path: Path) -> None:
    edited = forged(tmp_path, "ridge", b'"pairs":[[0,0],', b'"pairs":[[0,0],[0,0],')
    with pytest.raises(CorruptModel, match=r"should be float64 .* is float64 .* - at `.*ridge\.npz`$"):
        load_policy(edited)


def test_sums_without_the_recent_past_that_the_state_asks_for(tmp_path: Path) -> None:
    edited = forged(tmp_path, "ridge", b'"forgetting":"auto"', b'"forgetting":"none"')
    assert load_policy(edited) is not None
    policy = new_policy(settings("lints", forgetting="none"), 0)
    saved = tmp_path / "none"
    saved.mkdir()
    policy.learn(events(60))
    policy.save(saved)
    state = (saved / "ridge.json").read_bytes().replace(b'"forgetting":"none"', b'"forgetting":"auto"')
    again = tmp_path / "again"
    again.mkdir()
    write_model(again, "ridge", {"ridge.json": state, "ridge.npz": (saved / "ridge.npz").read_bytes()})
    with pytest.raises(CorruptModel, match="recent_gram"):
        load_policy(again)
