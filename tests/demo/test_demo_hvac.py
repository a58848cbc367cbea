"""The tutorial of heating and cooling on the real EnergyPlus: trainings, comparison, pictures, the server; no process is left."""

from __future__ import annotations

import io
import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from processes import PATIENCE_S, mentioning, says, started, until
from rewardloop.clock import SystemClock
from rewardloop.demo.hvac.playbook import perform
from rewardloop.demo.hvac.stages import STAGES, Effort
from rewardloop.demo.hvac.trainings import trained
from rewardloop.demo.processes import ChildFailed
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.playing.evaluating import over

SHORT = replace(
    STAGES["one-zone"],
    env=EnvSpec("rewardloop/DataCenter-1Zone-v0", {"start_days": [181]}),
    n_steps=300,
    checkpoint_every=150,
    parameters={**STAGES["one-zone"].parameters, "n_steps": 150, "batch_size": 50, "n_epochs": 1},
    n_constants=2,
)


def test_it_trains_compares_draws_and_serves_what_it_trained(tmp_path: Path) -> None:
    out, console = tmp_path / "out", Console(file=io.StringIO(), width=100)
    done = perform(SHORT, Effort([3, 4], at_once=2, n_episodes=5), out, console=console, clock=SystemClock())
    assert [row.policy for row in done.comparison.rows] == [
        "random", "schedule", "middle", "rules", "tuned constant", "ppo-3 and 1 more",
    ]  # fmt: skip
    assert done.comparison.env.parameters == {"use": "test", "start_days": [189]}
    assert done.comparison.rows[-1].n_runs == 2
    assert done.served.n_steps == 288
    assert done.served.metrics["energy_kwh"] == pytest.approx(done.direct.metrics["energy_kwh"], rel=1e-4)
    for name in ("episode.png", "comparison.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    (body,) = re.findall(r"try: curl .* -d '(.*)'", (out / "serve.log").read_text())
    assert len(json.loads(body)["context"]["observation"]) == 3
    assert "default-src 'none'" in (out / "episode.html").read_text()
    assert re.search(r"\n  cooling \d+\.\d °C, heating \d+\.\d °C: return -", console.file.getvalue())  # type: ignore[attr-defined]
    assert "\nPPO, 2 seeds " in console.file.getvalue()  # type: ignore[attr-defined]
    until(lambda: mentioning(str(out)) == [])


def test_a_training_that_fails_is_named_with_its_reason(tmp_path: Path) -> None:
    wrong = replace(SHORT, parameters={"lerning_rate": 1.0})
    with pytest.raises(ChildFailed, match=r"The ppo-0 ended with exit code 2: .*lerning_rate"):
        trained(wrong, (0.5, 0.5), Effort([0]), tmp_path, lambda _: None)


def test_interrupted_it_leaves_no_process(tmp_path: Path) -> None:
    out, said = tmp_path / "out", tmp_path / "said.txt"
    with started("demo-hvac", "--out", str(out), cwd=tmp_path, out=said) as process:
        until(says(said, "constant actions"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 143
    assert "Traceback" not in said.read_text()
    until(lambda: mentioning(str(out)) == [])


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_what_is_judged_on_was_not_trained_on(stage) -> None:
    test = over(stage.env, stage.test_parameters())
    assert test.parameters["use"] == "test"
    assert set(test.parameters["start_days"]).isdisjoint(stage.env.parameters["start_days"])
