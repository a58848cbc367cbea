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
    assert "rewardloop train offers" in " ".join(done.err.split())
    assert rewardloop("erase", "offers", "--event", "visit-0", "--data", str(tmp_path), "--json").json["done"]
    assert rewardloop(*where, "--json").json["decisions"] == 0


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
