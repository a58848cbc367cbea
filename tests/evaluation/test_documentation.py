import doctest
import re
from pathlib import Path

from rewardloop.evaluation.estimates import ALL, MRDR
from rewardloop.evaluation.gate.rules import CHECKS
from rewardloop.evaluation.rankings.estimators import cascade_dr, cascade_ips, independent_ips, joint_ips, pseudo_inverse

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_example_on_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, attempted > 0) == (0, True)


def test_every_estimator_and_every_rule_is_on_the_page():
    named = set(re.findall(r"^\| `(\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    rules = {check.__name__.removesuffix("_within_error") for checks in CHECKS.values() for check in checks}
    of_rankings = {each.__name__ for each in (joint_ips, cascade_ips, cascade_dr, independent_ips, pseudo_inverse)}
    assert {"events", *rules} | {*ALL, MRDR} | of_rankings == named
