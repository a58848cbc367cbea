from __future__ import annotations

import doctest
import re
from pathlib import Path

from rewardloop.evaluation.sequential import ESTIMATORS

PAGE = Path(__file__).parents[2] / "docs" / "offline-rl.md"


def test_the_example_on_the_page_runs() -> None:
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, attempted > 0) == (0, True)


def test_every_estimator_is_on_the_page() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert {*ESTIMATORS, "magic"} <= named
