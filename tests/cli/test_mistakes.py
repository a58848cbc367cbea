"""Whatever somebody gets wrong is one line on standard error, with the right exit code; no traceback, nothing left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

USAGE = [
    (["serv"], "Unknown command `serv`; did you mean `serve`?"),
    (["zzzz"], "see: rewardloop --help"),
    (["--vresion"], "did you mean `--version`?"),
    (["init"], "requires an argument"),
    (["init", "a", "b"], "Unused"),
    (["serve", "--frob"], "Unknown option: --frob"),
    (["serve", "--workers", "0"], "Must be >= 1"),
    (["serve", "--workers", "many"], 'unable to convert "many" into int'),
    (["serve", "--port", "99999"], "65535"),
    (["reward", "some-id", "lots"], 'unable to convert "lots" into float'),
    (["tail", "offers", "-n", "-1"], "Must be >= 0"),
    (["demo", "--policy", "greedy"], '"lints"'),
    (["demo", "--rounds", "0"], "Must be >= 1"),
]


@pytest.mark.parametrize(("arguments", "said"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_wrong_usage(rewardloop, arguments, said):
    ran = rewardloop(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.startswith("Usage: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


BEFORE_ANYTHING = [
    (["init", "BadName"], 2, "lower-case"),
    (["init", "x", "--actions", "a,a"], 2, "stands twice"),
    (["init", "x", "--out", "no/such/x.yaml"], 1, "Cannot write `no/such/x.yaml`"),
    (["decide", "offers"], 1, "Expected a data directory at `rewardloop-data`, found none"),
    (["decide", "none.yaml"], 2, "none.yaml, got: No such file"),
    (["status", "offers"], 1, "choose another with --data"),
    (["audit", "some-id"], 1, "Expected a data directory at `rewardloop-data`, found none"),
    (["serve", "none.yaml"], 2, "none.yaml, got: No such file"),
    (["demo", "--data", "none.csv"], 2, "Cannot read none.csv: No such file"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), BEFORE_ANYTHING, ids=[" ".join(case[0]) for case in BEFORE_ANYTHING])
def test_nothing_is_made_on_disk_for_what_does_not_exist(rewardloop, tmp_path, arguments, code, said):
    ran = rewardloop(*arguments)
    assert ran.code == code
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


AFTERWARDS = [
    (["init", "offers"], 1, "Expected a new file, found `offers.yaml`"),
    (["decide", "ofers"], 1, "did you mean `offers`?"),
    (["decide", "offers", "-c", "{bad"], 2, "at `--context`"),
    (["decide", "offers", "-c", "[1]"], 2, "Expected a JSON object"),
    (["decide", "offers", "-a", '{"a": 1}'], 2, "Expected a JSON array"),
    (["decide", "offers", "-a", '["purple"]'], 2, "Unknown action `purple`"),
    (["reward", "mine", "1"], 1, "name its experiment with --experiment"),
    (["reward", "mine", "nan", "-e", "offers"], 2, "finite number"),
    (["audit", "mine", "-e", "offers"], 1, "No decision `mine`"),
    (["warm-start", "offers", "none.csv"], 1, "Cannot read `none.csv`"),
    (["train", "offers", "--parent", "a.1", "--rebuild", "a.1"], 2, "got both"),
    (["train", "offers", "--rebuild", "offers.9"], 1, "Unknown model `offers.9`"),
    (["evaluate", "offers"], 1, "has no model yet"),
    (["deploy", "offers", "offers.9"], 1, "Unknown model `offers.9`"),
    (["deploy", "offers", "nine"], 1, "such as `offers.17`"),
    (["rollback", "offers"], 1, "found none"),
    (["status", "ofers"], 1, "did you mean `offers`?"),
    (["tail", "ofers"], 1, "did you mean `offers`?"),
    (["status", "--data", "offers.yaml"], 1, "offers.yaml"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), AFTERWARDS, ids=[" ".join(case[0]) for case in AFTERWARDS])
def test_an_experiment_that_exists(offers, arguments, code, said):
    offers("decide", "offers.yaml")
    ran = offers(*arguments)
    assert ran.code == code
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_a_file_that_is_no_yaml_is_told_with_its_line(rewardloop, tmp_path):
    (tmp_path / "bad.yaml").write_text("experiment: offers\nactions: [red,\n")
    ran = rewardloop("decide", "bad.yaml")
    assert ran.code == 2
    assert "(line 3 of bad.yaml)" in ran.err


def test_a_name_whose_file_is_here_is_told_so(offers):
    assert "to take in a file, name it: `offers.yaml`" in offers("decide", "offers").err


def test_history_of_which_nothing_can_be_taken_in_is_a_failure_the_first_time(offers, tmp_path):
    (tmp_path / "h.csv").write_text("action,reward,probability\npurple,1,0.5\n")
    ran = offers("warm-start", "offers.yaml", "h.csv")
    assert (ran.code, ran.out.splitlines()[0]) == (1, "Took in 0 of 1 rows.")
    (tmp_path / "h.csv").write_text("action,reward,probability\nred,1,0.5\n")
    assert [offers("warm-start", "offers.yaml", "h.csv").code for _ in range(2)] == [0, 0]


def test_what_a_file_says_is_no_markup(rewardloop, tmp_path):
    (tmp_path / "bad.yaml").write_text("experiment: offers\n'[bold]x[/nonsense]': 1\n")
    ran = rewardloop("decide", "bad.yaml")
    assert ran.code == 2
    assert "[bold]x[/nonsense]" in ran.err


@pytest.mark.parametrize(
    ("words", "missing", "extra"),
    [
        (["rl", "algorithms"], "gymnasium", "rl"),
        (["rl", "train", "--help"], "gymnasium", "rl"),
        (["demo-hvac"], "gymnasium", "rl,energyplus"),
        (["search", "offers.yaml", "--world", "iris"], "optuna", "search"),
    ],
)
def test_an_extra_that_is_not_installed_is_said_to_be_missing_and_how_to_get_it(offers, tmp_path, words, missing, extra):
    code = f"import sys\nsys.modules[{missing!r}] = None\nfrom rewardloop.cli import main\nmain({words})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 1
    assert ran.stderr == f"Missing extra: Expected the package `{missing}`, found none: pip install 'rewardloop[{extra}]'\n"
