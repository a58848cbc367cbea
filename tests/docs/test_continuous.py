"""The Python of docs/continuous.md runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rewardloop.settings import parse_settings

PAGE = (Path(__file__).parents[2] / "docs" / "continuous.md").read_text()


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE, flags=re.S))
def test_the_python_of_the_page_runs(block: str) -> None:
    exec(block, {})


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S))
def test_the_settings_of_the_page_are_settings(block: str) -> None:
    assert parse_settings(block, "heating.yaml").settings.cells == (20.0, 35.0, 32)
