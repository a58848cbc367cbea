"""`testbed`, as a shell would run it."""

from __future__ import annotations

import pytest

SMALL = ("--rounds", "200", "--seeds", "2", "--jobs", "2")


def test_policies_in_worlds_and_their_reports(rewardloop, tmp_path):
    (tmp_path / "offers.csv").write_text("bought,x\n" + "red,0\ngreen,1\n" * 20)
    (tmp_path / "log.csv").write_text("x,action,probability,reward\n" + "1,red,0.5,1\n2,green,0.5,0\n" * 100)
    worlds = ("--world", "offers.csv", "--label", "bought", "--world", "sim:static", "--log", "log.csv")
    reports = ("-r", "t.html", "-r", "t.png", "-r", "t.json")
    ran = rewardloop("testbed", "-p", "default", "-p", "uniform", *worlds, *SMALL, *reports)
    assert ran.code == 0
    for line in ("offers.csv", "sim:static", "log:log.csv", "default", "uniform"):
        assert f"\n{line} " in ran.out
    assert "Best over 3 worlds: default" in ran.out
    found = rewardloop("testbed", "-p", "default", "-p", "uniform", *worlds, *SMALL, "--json")
    assert found.out == (tmp_path / "t.json").read_text()
    assert len(found.json["scores"]) == 6
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    assert "How to read this" in (tmp_path / "t.html").read_text()


WRONG = [
    (["-p", "lint"], "did you mean `lints`"),
    (["--world", "digitz"], "did you mean `digits`"),
    (["--world", "none.csv"], "Unknown data set `none.csv`"),
    (["--log", "none.csv"], "Cannot read"),
    (["--rounds", "1"], "Must be >= 100"),
    (["--replay", "often"], "rejection"),
    (["--report", "t.pdf"], ".html, .png or .json"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_mistakes_are_one_line(rewardloop, arguments, said):
    ran = rewardloop("testbed", *arguments)
    assert (ran.code, ran.out) == (1 if "--log" in arguments else 2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
