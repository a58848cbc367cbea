"""docs/doctor.md names every check, and what it computes is right."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np

from observed_logs import clean_interactions, observed
from rewardloop.evaluation.diagnostics import diagnose
from rewardloop.evaluation.planning.power import Plan, events_needed, planned_spread

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"


def test_every_check_is_on_the_page_and_no_other() -> None:
    named = re.findall(r"^\| `(\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    log = observed(clean_interactions(np.random.default_rng(0), 300))
    assert named == [*dict.fromkeys(named)]
    assert sorted(named) == sorted(finding.check for finding in diagnose(log).findings)


def test_the_example_on_the_page_runs() -> None:
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, attempted > 0) == (0, True)


def test_exploration_buys_what_the_page_says() -> None:
    little, much = (Plan(arms=4, floor=floor, rate=0.05) for floor in (0.1, 0.4))
    assert events_needed(planned_spread(much, 0.01), 0.01) < events_needed(planned_spread(little, 0.01), 0.01) / 4
