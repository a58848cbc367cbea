"""Laws of the running z-score."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.features import Features
from rewardloop.policies import scaling
from rewardloop.policies.scaling import Scaler, ScalerState

names = st.sampled_from(["a", "b", "ü", "1", "x y"])
words = st.sampled_from(["", "ios", "ü"])
values = st.one_of(st.floats(-1e30, 1e30), st.integers(-(10**29), 10**29), st.booleans().map(int), words)
rows = st.lists(st.dictionaries(names, values), max_size=8)


def fitted(features: list[Features]) -> Scaler:
    scaler = Scaler()
    scaler.update(features)
    return scaler


def test_equals_the_offline_z_score() -> None:
    x = np.random.default_rng(0).normal(50, 7, 500)
    scaler = fitted([{"x": float(v)} for v in x])
    offline = np.clip((x - x.mean()) / x.std(), -5, 5)
    assert [scaler.transform({"x": float(v)})["x"] for v in x] == pytest.approx(offline.tolist(), abs=1e-9)


def test_one_by_one_equals_one_batch() -> None:
    x = np.random.default_rng(1).normal(-3e6, 2, 300)
    batch, single = fitted([{"x": float(v)} for v in x]), Scaler()
    for v in x:
        single.update([{"x": float(v)}])
    assert single.transform({"x": -3e6})["x"] == pytest.approx(batch.transform({"x": -3e6})["x"], abs=1e-6)


@given(rows, st.dictionaries(names, values))
def test_every_number_ends_within_the_limit_and_words_pass(seen: list[Features], row: Features) -> None:
    scaled = fitted(seen).transform(row)
    assert list(scaled) == list(row)
    for name, value in row.items():
        z = scaled[name]
        if isinstance(value, str):
            assert z == value
        else:
            assert isinstance(z, float | int)
            assert math.isfinite(z)
            assert -5 <= z <= 5


@given(rows, st.dictionaries(names, values))
def test_state_survives_json_to_the_bit(seen: list[Features], row: Features) -> None:
    scaler = fitted(seen)
    again = Scaler.from_state(msgspec.json.decode(msgspec.json.encode(scaler.state()), type=ScalerState))
    assert again.transform(row) == scaler.transform(row)
    again.update([row])
    scaler.update([row])
    assert again.state() == scaler.state()


def test_columns_of_0_and_1_are_left_alone_until_another_value_comes() -> None:
    scaler = fitted([{"vip": 0}] * 99 + [{"vip": 1}])
    assert scaler.transform({"vip": 1}) == {"vip": 1}
    scaler.update([{"vip": 2}])
    assert scaler.transform({"vip": 0}) != {"vip": 0}


def test_constant_columns_become_zero_and_unseen_ones_are_only_clipped() -> None:
    scaler = fitted([{"c": 7.0}] * 3)
    assert scaler.transform({"c": 7.0, "new": 2.5, "far": -1e29}) == {"c": 0.0, "new": 2.5, "far": -5.0}


def test_a_name_may_be_a_number_today_and_a_word_tomorrow() -> None:
    scaler = fitted([{"size": 1.0}, {"size": "XL"}, {"size": 3.0}])
    assert scaler.transform({"size": "XL"}) == {"size": "XL"}
    assert scaler.transform({"size": 3.0}) == {"size": 1.0}


def test_the_number_of_columns_is_bounded() -> None:
    scaler = Scaler()
    for i in range(3):
        scaler.update([{f"{i}.{j}": 1.0 + j for j in range(scaling.MAX_COLUMNS // 2)}])
    assert scaler.n_columns == scaling.MAX_COLUMNS
    assert scaler.transform({"2.7": 9.0}) == {"2.7": 5.0}
