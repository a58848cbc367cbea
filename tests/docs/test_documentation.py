"""What the pages say is true: links lead somewhere, every route and metric is named, the Python of the README runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from rewardloop.serving.routes import ROUTES
from rewardloop.settings import ExperimentSettings, parse_settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_headings(page: Path) -> None:
    links = re.findall(r"\]\(((?!http)[^)#]*)#([^)]+)\)", page.read_text())
    assert [link for link in links if link[1] not in _headings(page.parent / link[0] if link[0] else page)] == []


def _headings(page: Path) -> set[str]:
    """As they are linked to: in small letters, without punctuation, hyphens for spaces."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def _python_of(page: Path) -> list[str]:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.S)
    return [doctest.script_from_examples(block) if ">>>" in block else block for block in blocks]


@pytest.mark.parametrize("page", [page for page in PAGES if _python_of(page)], ids=lambda page: page.name)
def test_the_python_of_every_page_is_python_and_imports_what_there_is(page: Path) -> None:
    for block in _python_of(page):
        compile(block, page.name, "exec")
        for line in re.findall(r"^ *(from rewardloop[\w.]* import .*|import rewardloop[\w.]*)$", block, flags=re.M):
            exec(line, {})


def test_every_route_is_documented() -> None:
    page = (ROOT / "docs/http.md").read_text()
    assert [route for route in ROUTES if f"`{route.method} {route.template}`" not in page] == []


def test_no_route_is_documented_that_does_not_exist() -> None:
    named = re.findall(r"^\| `(GET|POST) (\S+)`", (ROOT / "docs/http.md").read_text(), flags=re.M)
    assert set(named) == {(route.method, route.template) for route in ROUTES}


@pytest.mark.parametrize("name", ["README.md", "docs/continuous.md", "docs/rankings.md"])
def test_the_python_of_the_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), flags=re.S)
    assert blocks
    for block in blocks:
        exec(block, {})


def test_the_settings_of_the_pages_are_settings() -> None:
    assert _settings_of("docs/continuous.md").cells == (20.0, 35.0, 32)
    assert _settings_of("docs/rankings.md").ranking.feedback == "cascade"


def _settings_of(name: str) -> ExperimentSettings:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / name).read_text(), flags=re.S)
    return parse_settings(block, "page.yaml").settings
