"""Help teaches: an example in every command, a sentence for every option, and nothing heavy is loaded for it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from rewardloop.cli.app import FAMILIES, build
from rewardloop.cli.commands import COMMANDS

HEAVY = ("duckdb", "pyarrow", "sqlalchemy", "vowpalwabbit", "numpy", "scipy", "sklearn", "uvicorn", "httpx2", "torch", "gymnasium")
LEARNING = ("duckdb", "pyarrow", "vowpalwabbit", "scipy", "rewardloop.lake", "rewardloop.deciding.decider")
names = pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])


def test_rewardloop_alone_shows_every_command_with_its_sentence(rewardloop):
    shown = rewardloop()
    assert shown.code == 0
    assert shown == rewardloop("--help")
    for command in COMMANDS:
        assert f"│ {command.name}" in shown.out
        assert command.sentence in shown.out, "a sentence must fit beside its name in 80 columns"


@names
def test_help_of_a_command_ends_with_examples_to_paste(rewardloop, command):
    shown = rewardloop(command.name, "--help")
    assert shown.code == 0
    assert command.sentence in shown.out
    for example in command.examples:
        assert example in shown.out
        assert example.startswith(f"rewardloop {command.name}")


@names
def test_the_examples_are_right(command):
    for example in command.examples:
        for part in example.split(" && "):
            build().parse_args(shlex.split(part)[1:], exit_on_error=False, print_error=False)


@names
def test_every_option_is_explained(command):
    if command.name in FAMILIES:
        pytest.skip("it has commands of its own, which have the options")
    for argument in build()[command.name].assemble_argument_collection():
        assert argument.parameter.help, f"{command.name} {argument.name}"


@pytest.mark.parametrize(("family", "command"), [(name, command) for name, family in FAMILIES.items() for command in family])
def test_commands_of_commands_explain_themselves_too(rewardloop, family, command):
    shown = rewardloop(family, command.name, "--help")
    assert shown.code == 0
    assert command.sentence in shown.out
    assert f"│ {command.name}" in rewardloop(family, "--help").out
    for example in command.examples:
        assert example in shown.out
        assert example.startswith(f"rewardloop {family} {command.name}")
        build().parse_args(shlex.split(example)[1:], exit_on_error=False, print_error=False)
    for argument in build()[family][command.name].assemble_argument_collection():
        assert argument.parameter.help, f"{command.name} {argument.name}"


@pytest.mark.parametrize("words", [["--help"], ["rl", "--help"], ["import", "--help"], ["keys", "--help"]])
def test_help_loads_nothing_heavy(words):
    code = (
        "import sys\nfrom rewardloop.cli import main\n"
        f"try: main({words})\nexcept SystemExit as stopped: assert not stopped.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_what_supervises_workers_loads_nothing_of_what_they_do():
    code = f"import sys\nimport rewardloop.cli.serve\nprint([name for name in {LEARNING} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize(("before", "after"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4")])
def test_a_command_runs_blas_with_one_thread_unless_told_otherwise(before, after):
    code = (
        "import os, sys\nfrom rewardloop.__main__ import main\nsys.argv = ['rewardloop', '--version']\n"
        "try: main()\nexcept SystemExit: print(os.environ['OPENBLAS_NUM_THREADS'], file=sys.stderr)"
    )
    clean = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**clean, **before})
    assert ran.stderr.strip() == after


def test_version(rewardloop):
    assert rewardloop("--version").out.strip().count(".") == 2


def _leaves() -> list[tuple[str, ...]]:
    families = [(name, command.name) for name, family in FAMILIES.items() for command in family]
    return [*((command.name,) for command in COMMANDS if command.name not in FAMILIES), *families]


@pytest.mark.parametrize("words", _leaves(), ids=" ".join)
def test_no_option_shows_the_programs_own_empty_values(rewardloop, words):
    shown = rewardloop(*words, "--help").out
    for ours in ("--empty-", "[default: ()", '[default: ""', "[default: False", "[default: None", "',)]"):
        assert ours not in shown
