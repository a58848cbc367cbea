"""`rewardloop erase`: how much there is, gone, and what it says where it cannot be done at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rewardloop import Experiment, ExperimentSettings

OFFERS = ExperimentSettings(experiment="offers", actions=2)


def visited(data: Path) -> None:
    with Experiment.open(OFFERS, data) as offers:
        for i in range(40):
            offers.reward(offers.decide({"user": f"u{i % 4}"}, event_id=f"visit-{i}").event_id, i % 2)
        offers.train()


def test_a_dry_run_says_how_much_and_then_it_is_gone(rewardloop: Any, tmp_path: Path) -> None:
    visited(tmp_path)
    where = ("erase", "offers", "--where", "context.user=u1", "--data", str(tmp_path))
    ran = rewardloop(*where, "--dry-run")
    assert (ran.code, ran.out.split(":")[0]) == (0, "As of the last join")
    assert rewardloop(*where, "--dry-run", "--json").json["decisions"] == 10
    done = rewardloop(*where)
    assert "Erased 10 decisions and 10 rewards" in done.out
    assert "the same with --rebuild" in " ".join(done.err.split())
    assert rewardloop("erase", "offers", "--event", "visit-0", "--data", str(tmp_path), "--json").json["done"]
    assert rewardloop(*where, "--json").json["decisions"] == 0


def test_rebuild_leaves_no_model_that_learned_from_it(rewardloop: Any, tmp_path: Path) -> None:
    visited(tmp_path)
    models = tmp_path / "experiments" / "offers" / "models"
    assert rewardloop("deploy", "offers", "offers.1", "--data", str(tmp_path)).code == 0
    where = ("erase", "offers", "--where", "context.user=u1", "--data", str(tmp_path))
    assert rewardloop(*where, "--rebuild", "--dry-run").code == 2
    rewardloop(*where)
    assert [path.name for path in models.iterdir()] == ["offers.1"]
    done = rewardloop(*where, "--rebuild")
    assert (done.code, "offers.2 is hosted" in " ".join(done.out.split())) == (0, True)
    assert [path.name for path in models.iterdir()] == ["offers.2"]
    assert "is hosted" not in rewardloop(*where, "--rebuild").out


def test_rebuild_where_nothing_is_left_hosts_the_first_model(rewardloop: Any, tmp_path: Path) -> None:
    visited(tmp_path)
    rewardloop("deploy", "offers", "offers.1", "--data", str(tmp_path))
    done = rewardloop("erase", "offers", "--until", "2100-01-01", "--rebuild", "--data", str(tmp_path))
    assert "offers.0 is hosted" in " ".join(done.out.split())
    assert list((tmp_path / "experiments" / "offers" / "models").iterdir()) == []


def test_a_running_loop_is_asked_to_do_it(rewardloop: Any, tmp_path: Path) -> None:
    visited(tmp_path)
    with Experiment.open(OFFERS, tmp_path) as loop:
        with loop.trainer():
            ran = rewardloop("erase", "offers", "--until", "2100-01-01", "--data", str(tmp_path))
        assert (ran.code, "which holds the experiment" in " ".join(ran.out.split())) == (0, True)
        loop.tidy()
        assert loop.join().n == 0


def test_what_cannot_be_meant_is_said(rewardloop: Any, tmp_path: Path) -> None:
    visited(tmp_path)
    nothing = rewardloop("erase", "offers", "--data", str(tmp_path))
    assert (nothing.code, "nothing would be erased" in " ".join(nothing.err.split())) == (2, True)
    wrong = rewardloop("erase", "offers", "--where", "user=u1", "--data", str(tmp_path))
    assert "such as context.user_id=u7" in " ".join(wrong.err.split())
