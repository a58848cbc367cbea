"""The page about reports says what is so."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"


def test_the_examples_run():
    failed, run = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert run > 5
    assert failed == 0
