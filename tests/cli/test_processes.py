"""Commands that run until they are stopped, in processes of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from processes import PATIENCE_S, children, says, started, until
from rewardloop.settings import load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"


def url_in(file: Path) -> str:
    until(says(file, "try:"))
    found = re.search(r"http://127\.0\.0\.1:\d+", file.read_text())
    assert found
    return found.group()


def test_the_file_of_2019_is_served_as_it_stands_and_told_once_what_does_nothing(tmp_path):
    out, config = tmp_path / "serve.txt", str(EXAMPLES / "sagemaker-2019.yaml")
    with started("serve", config, "--port", "0", cwd=tmp_path, out=out) as process:
        url = url_in(out)
        command = next(line for line in out.read_text().splitlines() if line.startswith("try: "))
        answer = httpx2.post(f"{url}/v1/experiments/sagemaker-2019/decide", json={"context": {"age": 31}}, timeout=PATIENCE_S)
        assert answer.json()["action"] in set("1234567")
        assert f"curl {url}/v1/experiments/sagemaker-2019/decide -H content-type:application/json" in command
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    said = out.read_text()
    assert said.endswith("Stopped: every answer that left is in the log\n")
    assert said.count("ignored, because nothing here corresponds") == 1
    assert "resource.private_resource.hosting_fleet.instance_type" in said
    assert "image, local_mode, soft_deployment" in said
    assert "Traceback" not in said


def test_the_call_it_proposes_to_try_is_one_that_it_answers(tmp_path):
    (tmp_path / "shop.yaml").write_text("experiment: shop\n")
    out = tmp_path / "serve.txt"
    with started("serve", "shop.yaml", "--port", "0", cwd=tmp_path, out=out):
        url = url_in(out)
        (body,) = re.findall(r"-d '(.*)'", out.read_text())
        headers = {"content-type": "application/json"}
        assert (
            httpx2.post(f"{url}/v1/experiments/shop/decide", content=body, headers=headers, timeout=PATIENCE_S).status_code == 200
        )


def test_a_script_of_yours_that_is_called_like_a_library_is_not_taken_for_it(tmp_path):
    (tmp_path / "shop.yaml").write_text("experiment: shop\n")
    for library in ("click", "json", "msgspec"):
        (tmp_path / f"{library}.py").write_text("raise SystemExit('not me')\n")
    with started("serve", "shop.yaml", "--port", "0", cwd=tmp_path, out=tmp_path / "serve.txt"):
        assert httpx2.get(f"{url_in(tmp_path / 'serve.txt')}/healthz", timeout=PATIENCE_S).status_code == 200


def imports(pid: int) -> bool:
    """Whether a process has begun to load what it needs."""
    try:
        return "/msgspec/" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("command", ["serve", "run"])
def test_ctrl_c_that_reaches_processes_as_they_start_is_one_line(tmp_path, command):
    """As a terminal sends it: to all of them, the youngest in the midst of its imports."""
    config, out = tmp_path / "offers.yaml", tmp_path / "out.txt"
    config.write_text("experiment: offers\nactions: 2\ntraining: {mode: online}\n")
    options = ["--port", "0"] if command == "serve" else []
    with out.open("wb") as file:
        words = [sys.executable, "-m", "rewardloop", command, str(config), *options]
        with subprocess.Popen(words, cwd=tmp_path, stdout=file, stderr=file, start_new_session=True) as process:
            until(lambda: any(map(imports, children(process.pid))))
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in out.read_text()
    assert out.read_text().splitlines()[-1].startswith("Stopped: ")


def test_a_testbed_does_not_finish_its_rounds_after_ctrl_c(tmp_path):
    out, results = tmp_path / "out.txt", tmp_path / "results.jsonl"
    endless = ("testbed", "-p", "linucb", "--world", "sim:static", "--rounds", "1000000", "--seeds", "1")
    with started(*endless, "--out", str(results), cwd=tmp_path, out=out) as process:
        until(results.exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    assert out.read_text() == "Stopped: interrupted\n"


def test_run_takes_cycles_over_the_file_of_2019_and_stops_when_told(tmp_path):
    config, out = str(EXAMPLES / "sagemaker-2019.yaml"), tmp_path / "run.txt"
    (tmp_path / "history.csv").write_text("x,action,probability,reward\n" + "1,1,0.5,1\n2,2,0.5,0\n" * 300)
    command = [sys.executable, "-m", "rewardloop", "warm-start", config, "history.csv"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with started("run", config, "--json", cwd=tmp_path, out=out) as process:
        until(says(out, '"model_id":"sagemaker-2019.1"'))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    assert out.read_text().count("ignored, because") == 1
    assert "Traceback" not in out.read_text()


@pytest.fixture
def decided(tmp_path, offers):
    for n in range(30):
        offers("decide", "offers.yaml", "--event-id", f"event-{n}")
    return tmp_path


def test_tail_follows_until_ctrl_c(decided, offers):
    out = decided / "tail.txt"
    with started("tail", "offers", "-n", "1", "-f", cwd=decided, out=out) as process:
        until(says(out, "event-29"))
        offers("reward", "event-0", "7", "-e", "offers")
        until(says(out, "event-0  reward  7"))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    assert len(out.read_text().splitlines()) == 3
    assert out.read_text().endswith("Stopped: interrupted\n")


def test_a_reader_that_stops_reading_is_no_failure(decided):
    command = [sys.executable, "-m", "rewardloop", "tail", "offers", "-n", "30", "-f", "--json"]
    with subprocess.Popen(command, cwd=decided, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"event-0" in process.stdout.readline()
        process.stdout.close()
        subprocess.run(
            [sys.executable, "-m", "rewardloop", "reward", "event-1", "1", "-e", "offers"],
            cwd=decided,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""


def test_the_example_in_process_learns(tmp_path):
    ran = subprocess.run([sys.executable, EXAMPLES / "in_process.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    means = [float(line.split(": ")[1]) for line in ran.stdout.splitlines() if "mean reward" in line]
    assert len(means) == 4
    assert means[0] < 0.4 < means[-1]
    assert list(tmp_path.iterdir()) == []


def test_the_example_over_http_learns_from_a_loop_beside_it(tmp_path):
    config, out = str(EXAMPLES / "offers.yaml"), tmp_path / "serve.txt"
    loop = tmp_path / "run.txt"
    with (
        started("serve", config, "--port", "0", cwd=tmp_path, out=out),
        started("run", config, "--json", cwd=tmp_path, out=loop),
    ):
        command = [sys.executable, str(EXAMPLES / "over_http.py"), url_in(out)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ran.stdout.count("mean reward of the last 500") == 4
        until(says(loop, '"model_id":"offers.1"'))


def test_the_example_file_says_what_it_seems_to():
    settings = load_settings(EXAMPLES / "offers.yaml").settings
    assert settings.action_ids == ("red", "green", "blue")
    assert settings.exploration == "squarecb"
    assert settings.reward.window == 30 * 60_000_000


PRESSED = """
import signal, sys

class CtrlC:
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, CtrlC())
sys.argv = ["rewardloop", "--help"]
from rewardloop.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["rewardloop.cli", "cyclopts", "rewardloop.cli.commands"])
def test_ctrl_c_in_the_first_imports_is_a_sentence_too(name):
    run = subprocess.run([sys.executable, "-c", PRESSED.format(name=name)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "Stopped: interrupted\n")
