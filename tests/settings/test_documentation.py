"""docs/configuration.md says every setting with its default and its sentence, and its examples are settings."""

import re
from pathlib import Path

import pytest
from msgspec import inspect

from rewardloop.settings import ExperimentSettings, parse_settings, to_mapping
from rewardloop.settings.dump import scalar
from rewardloop.settings.expected import description, expected, fields, plain, root

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
DEFAULTS = to_mapping(ExperimentSettings(experiment=""))


def rows(section: inspect.StructType, defaults: dict[str, object], prefix: str = "") -> list[str]:
    out: list[str] = []
    for key, field in fields(section).items():
        kind = plain(field.type)
        if isinstance(kind, inspect.StructType):
            out += rows(kind, defaults[key], f"{prefix}{key}.")
        else:
            default = "required" if field.required else f"`{scalar(defaults[key])}`"
            out.append(f"| `{prefix}{key}` | {default} | {expected(field.type)} | {description(field)} |")
    return out


@pytest.mark.parametrize("row", rows(root(), DEFAULTS))
def test_every_setting_is_documented_with_default_type_and_sentence(row):
    assert row in PAGE.splitlines()


def test_no_setting_is_documented_that_does_not_exist():
    documented = re.findall(r"^\| (`[a-z_.]+`) \| ", PAGE, re.MULTILINE)
    assert documented == [row.split(" ")[1] for row in rows(root(), DEFAULTS)]


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_is_accepted(example):
    assert parse_settings(example, "offers.yaml").settings.experiment


def test_there_is_a_native_example_and_one_of_2019():
    ignored = [parse_settings(text, "x.yaml").ignored for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert () in ignored
    assert any("image" in names for names in ignored)
