"""Vowpal Wabbit's text, hostile text included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.errors import InvalidInput
from rewardloop.exchange.reading import read_rows
from rewardloop.exchange.vw.reading import read_vw_text
from rewardloop.exchange.vw.words import read_word, write_word


def test_cb_lines(tmp_path: Path) -> None:
    path = tmp_path / "cb"
    path.write_text("1:0.5:0.25 |f a b:2 |g:2 c\n1 3:-1:0.5 'e7| x\n")
    assert [row.values for row in read_rows(path)] == [
        {"context": {"f": {"a": 1, "b": 2}, "g": {"c": 2}}, "action": "1", "reward": -0.5, "probability": 0.25},
        {"context": {"x": 1}, "action": "3", "reward": 1, "probability": 0.5, "event_id": "e7", "actions": ["1", "3"]},
    ]


def test_adf_groups(tmp_path: Path) -> None:
    path = tmp_path / "adf"
    path.write_text("shared |u s_1\n0:1.0:0.5 | a_1\ntea| a_2\n\n | b\n0:0:0.5 | c\n\n | d\n | e\n")
    first, second, third = read_rows(path)
    assert first.values == {
        "context": {"u": {"s_1": 1}}, "action": "1", "reward": -1, "probability": 0.5,
        "actions": [{"id": "1", "features": {"a_1": 1}}, {"id": "tea", "features": {"a_2": 1}}],
    }  # fmt: skip
    assert second.values is not None
    assert (second.values["action"], second.values["context"]) == ("2", {})
    assert (third.line, third.values, third.problem) == (8, None, "no label, or several")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1:0.5:0.25 no bar", "Expected features after `|`"),
        ("1:x:0.25 |f a", "Expected a number, got `x`"),
        ("1:2:3:4 |f a", "Expected a label `action:cost:probability`"),
        ("1:0:0.5 |f a:b:", "Expected a number"),
        ("1:0:0.5 |f a | f", "Expected distinct names"),
    ],
)
def test_a_line_that_cannot_be_understood_says_why(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "cb"
    path.write_text(f"1:0:0.5 |f a\n{line}\n1:0:0.5 |f a\n")
    if problem == "Expected distinct names":
        path.write_text("1:0:0.5 |f a\n1:0:0.5 | f |f a\n1:0:0.5 |f a\n")
    good, bad, again = read_vw_text(path)
    assert good.values is not None
    assert again.values is not None
    assert (bad.line, bad.values) == (2, None)
    assert bad.problem.startswith(problem)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "vw"
    path.write_bytes(b"1:0:0.5 |f a\n" + noise)
    assert next(iter(read_vw_text(path))).values is not None
    assert all(row.values is not None or row.problem for row in read_vw_text(path))


@given(st.text())
def test_words_come_back(name: str) -> None:
    word = write_word(name)
    assert not any(spoils in word for spoils in " \t\r\n:|")
    assert read_word(word) == name


def test_arrays_that_would_need_unpickling_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", action=np.array([{}], dtype=object))
    with pytest.raises(InvalidInput, match="plain arrays"):
        list(read_rows(tmp_path / "evil.npz"))
    np.savez(tmp_path / "other.npz", action=np.zeros(2))
    with pytest.raises(InvalidInput, match="found no `context`"):
        list(read_rows(tmp_path / "other.npz"))
