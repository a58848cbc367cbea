"""Bulk learning by the driver gives the weights that `learn` gives, and says so when it cannot."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardloop.errors import RewardloopError
from rewardloop.interactions import Interactions
from rewardloop.policies.vw import policy as vw
from rewardloop.policies.vw.bulk import drive
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from vw_worlds import events, halves, settings

FEW = 300


@pytest.fixture(autouse=True)
def _drive_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vw, "BULK_EVENTS", FEW)


def policy(exploration: str = "regcbopt", **learner: object) -> VowpalWabbitPolicy:
    return VowpalWabbitPolicy.new(settings(exploration, **learner), seed=3)


def same(a: VowpalWabbitPolicy, b: VowpalWabbitPolicy, asked: Interactions) -> bool:
    one, other = (made.pmf_many(asked.contexts, asked.actions) for made in (a, b))
    return bool(abs(one - other).max() < 1e-6)


@pytest.mark.parametrize("exploration", ["regcbopt", "squarecb", "egreedy", "bag", "cover", "rnd"])
def test_bulk_equals_learning_one_by_one(exploration: str) -> None:
    logged, asked = halves(events(500, with_features=exploration == "egreedy"), 450)
    batches = halves(logged, 310)
    bulk, single = policy(exploration), policy(exploration)
    bulk.learn_bulk(iter(batches))
    for batch in batches:
        single.learn(batch)
    assert same(bulk, single, asked)
    assert bulk.statistics() == single.statistics()
    assert bulk.n_learned == 450


def test_bulk_continues_and_is_continued() -> None:
    logged, asked = halves(events(1_000), 950)
    early, rest = halves(logged, 50)
    middle, late = halves(rest, 800)
    bulk, single = policy(), policy()
    bulk.learn(early)
    bulk.learn_bulk([middle])
    bulk.learn(late)
    bulk.relearn(early)
    for batch in (early, middle, late):
        single.learn(batch)
    single.relearn(early)
    assert same(bulk, single, asked)


def test_dr_and_contexts_too_long_to_be_crossed_go_the_same_way() -> None:
    logged, asked = halves(events(FEW + 20), FEW)
    for row in logged.contexts:
        row.update({f"f{i}": float(i % 5) for i in range(140)})
    bulk, single = (policy("egreedy", cb_type="dr") for _ in range(2))
    for made in (bulk, single):
        made.learn(events(1))
    bulk.learn_bulk([logged])
    single.learn(logged)
    assert same(bulk, single, asked)


def test_few_events_and_none_are_learned_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    made = policy()
    made.learn_bulk([])
    made.learn_bulk([events(0), events(FEW - 1)])
    assert made.n_learned == FEW - 1


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    policy().learn_bulk([events(FEW)])
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_breaks_ends_the_driver_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken() -> Iterator[Interactions]:
        yield events(FEW)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        policy().learn_bulk(broken())
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_fails_is_reported(tmp_path: Path) -> None:
    initial = tmp_path / "initial.vw"
    initial.write_bytes(b"no weights")
    lines = (b"{}\n" * 100_000 for _ in range(10))
    with pytest.raises(RewardloopError, match="driver ended with code"):
        drive(["--cb_explore_adf", "--json", "--quiet"], lines, initial, tmp_path / "final.vw")
