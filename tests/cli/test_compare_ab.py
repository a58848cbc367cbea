"""`compare-ab`, as a shell would run it."""

from __future__ import annotations

import pytest

SMALL = ("--visitors", "1000", "--seeds", "3")


def test_arms_without_context(rewardloop):
    ran = rewardloop("compare-ab", "--arms", "0.1,0.3", "--policy", "lints", "--policy", "uniform", *SMALL)
    assert (ran.code, ran.err) == (0, "")
    for line in ("A/B test", "bandit (lints)", "bandit (uniform)", "uniform", "best fixed arm", "skyline", "ended after", "errors"):
        assert f"\n{line} " in ran.out
    assert ran.out == rewardloop("compare-ab", "--arms", "0.1,0.3", "-p", "lints", "-p", "uniform", *SMALL).out


def test_a_data_set_of_ones_own_and_its_reports(rewardloop, tmp_path):
    (tmp_path / "offers.csv").write_text("bought,x\n" + "red,0\ngreen,1\n" * 20)
    reports = ("-r", "c.html", "-r", "c.png", "-r", "c.json")
    ran = rewardloop("compare-ab", "--world", "offers.csv", "--label", "bought", *SMALL, *reports, "--json")
    found = ran.json
    assert found["population"] == "offers"
    assert found["bandits"][0]["gain"]["lower"] > 0.1
    assert (tmp_path / "c.json").read_text() == ran.out
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "c.html").read_text()
    assert "best fixed arm" in page
    assert "the right arm depends on the visitor" in page


def test_digits_by_default(rewardloop):
    found = rewardloop("compare-ab", *SMALL, "--json").json
    assert found["population"] == "digits"
    assert found["ab_test"]["mean_reward"]["value"] == pytest.approx(0.1, abs=0.02)
    assert found["bandits"][0]["gain"]["lower"] > 0.2


def test_a_log_is_replayed_and_one_without_probabilities_refused(rewardloop, tmp_path):
    rows = "".join(f"{i % 2},{'red' if i % 3 else 'green'},{2 / 3 if i % 3 else 1 / 3},{i % 5 == 0:d}\n" for i in range(1_500))
    (tmp_path / "log.csv").write_text("x,action,probability,reward\n" + rows)
    ran = rewardloop("compare-ab", "--log", "log.csv", "--seeds", "2", "-r", "c.html")
    assert (ran.code, "of 1,500 events could be used" in ran.out) == (0, True)
    assert "replayed: log" in (tmp_path / "c.html").read_text()
    assert rewardloop("compare-ab", "--log", "log.csv", "--seeds", "2", "--json").json["n_events"] == 1_500
    (tmp_path / "bare.csv").write_text("x,action,reward\n1,red,0\n")
    refused = rewardloop("compare-ab", "--log", "bare.csv")
    assert (refused.code, "the probability of each action" in refused.err) == (2, True)


def test_a_log_of_two_experiments_is_refused_and_one_of_them_replayed(rewardloop, tmp_path):
    rows = "".join(f"{i % 2},{'red' if i % 3 else 'green'},0.5,{i % 5 == 0:d},{'ab'[i >= 600]}\n" for i in range(1_400))
    (tmp_path / "log.csv").write_text("x,action,probability,reward,experiment\n" + rows)
    refused = rewardloop("compare-ab", "--log", "log.csv", "--seeds", "2")
    assert (refused.code, "got those of 2: `b` (800 rows), `a` (600 rows)" in refused.err) == (2, True)
    assert rewardloop("compare-ab", "--log", "log.csv", "--only", "a", "--seeds", "2", "--json").json["n_events"] == 600


WRONG = [
    (["--arms", "0.1"], "2 to 100 success rates, got 1"),
    (["--arms", "0.1,1.5"], "from 0 to 1, got 1.5"),
    (["--arms", "0.1,nan"], "from 0 to 1, got nan"),
    (["--arms", "low,high"], "such as 0.05,0.06, got `low,high`"),
    (["--arms", "0.1,0.2", "--world", "x.csv"], "got both"),
    (["--label", "bought"], "in --world"),
    (["--world", "none.csv"], "Cannot read none.csv"),
    (["-p", "lints", "-p", "linucb", "-p", "bag"], "1 to 2 policies, got 3"),
    (["-p", "greedy"], '"lints"'),
    (["--seeds", "1"], "Must be >= 2"),
    (["--log", "none.csv", "--arms", "0.1,0.2"], "got two of them"),
    (["--share", "1"], "Must be < 1"),
    (["--only", "offers"], "in --log"),
    (["--report", "c.pdf"], ".html, .png or .json"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_mistakes_are_one_line(rewardloop, tmp_path, arguments, said):
    ran = rewardloop("compare-ab", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
