"""The loop over a box of two values: served from ONNX, rewarded, joined, judged, on trial, replaced, rolled back, learned from."""

from __future__ import annotations

import warnings
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from rewardloop.actions import Ranges, ranged_actions
from rewardloop.clock import SECOND, ManualClock
from rewardloop.errors import Conflict, CorruptModel, InvalidInput
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.onnx import OnnxPolicy
from rewardloop.policies.onnx_head import Head
from rewardloop.registry.records import GoldenRequest
from rewardloop.rl.logged.experiments import gather
from rewardloop.settings import ContinuousActions, Duration, ExperimentSettings, GateSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import RolloutSettings

BOX = Ranges((10.0, -5.0), (30.0, 5.0))
SETTINGS = ExperimentSettings(
    experiment="boiler",
    actions=ContinuousActions(low=BOX.low, high=BOX.high),
    policy=PolicySettings(floor=0.2),
    reward=RewardSettings(range=(-4.0, 0.0), window=Duration(60 * SECOND)),
    gate=GateSettings(min_events=100, min_ess=20),
    rollout=RolloutSettings(min_events=60, share=0.5),
)


class _Aiming(torch.nn.Module):
    """The best point for an observation of two numbers in -1 … 1, `off` beside it, as shares of half the range."""

    def __init__(self, off: float, deviation: float) -> None:
        super().__init__()
        self._off, self._deviation = off, deviation

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        half, middle = torch.tensor([[10.0, 5.0]]).double(), torch.tensor([[20.0, 0.0]]).double()
        location = middle + half * (observation + self._off)
        return torch.cat([location, (half * self._deviation).log().expand_as(location)], dim=1)


def aiming(directory: Path, off: float, deviation: float = 0.2) -> OnnxPolicy:
    path = directory / f"{off}-{deviation}.onnx"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        names = {"input_names": ["observation"], "output_names": ["numbers"]}
        torch.onnx.export(_Aiming(off, deviation), (torch.zeros((1, 2)).double(),), path, **names, opset_version=17, dynamo=False)  # type: ignore[arg-type]
    inputs = ("observation[0]", "observation[1]")
    return OnnxPolicy(path.read_bytes(), Head(kind="normal", inputs=inputs, low=BOX.low, high=BOX.high))


def choosing(directory: Path) -> OnnxPolicy:
    """The same network over four arms."""
    aiming(directory, 0.0)
    inputs = ("observation[0]", "observation[1]")
    return OnnxPolicy((directory / "0.0-0.2.onnx").read_bytes(), Head(kind="softmax", inputs=inputs, sizes=(4,)))


def played(boiler: Experiment, clock: ManualClock, n: int, seed: int) -> list[str]:
    """Rewards fall off with the distance to the best point; the models that decided."""
    generator, models = np.random.default_rng(seed), []
    for i in range(n):
        seen = generator.uniform(-0.8, 0.8, 2)
        decision = boiler.decide({"observation": seen.tolist()}, event_id=f"{seed}:{i}")
        at = (np.array(decision.values) - (20.0, 0.0)) / (10.0, 5.0)
        boiler.reward(decision.event_id, -float(np.square(at - seen).mean()))
        clock.advance(SECOND)
        models.append(decision.model_id)
    return models


def test_policies_over_a_box_are_judged_promoted_kept_refused_and_rolled_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path / "data", clock=clock) as boiler:
        before = boiler.decide({})
        boiler.reward(before.event_id, 0.0)
        record, report, first = boiler.take_in(aiming(tmp_path, 0.3), "hand", (), {})
        assert (record.model_id, report, first and first.reason) == ("boiler.1", None, "first")
        clock.advance(SECOND)
        assert set(played(boiler, clock, 1_000, seed=1)) == {"boiler.1"}
        _, report, deployed = boiler.take_in(aiming(tmp_path, 0.0), "hand", (), {})
        assert report is not None
        assert (report.verdict, deployed and deployed.model_id) == ("promote", "boiler.2"), report.summary
        assert report.hosted is not None
        assert report.candidate["dr"].lower > report.hosted["dr"].upper
        _, report, deployed = boiler.take_in(aiming(tmp_path, 0.3), "hand", (), {})
        assert report is not None
        assert (report.verdict, deployed) == ("keep", None)
        _, report, deployed = boiler.take_in(aiming(tmp_path, -0.7, deviation=0.005), "hand", (), {})
        assert report is not None
        assert (report.verdict, deployed) == ("insufficient_support", None)
        assert "ratios of densities average" in report.summary
        full = boiler.report("boiler.3")
        assert full.gate.verdict == "keep"
        assert full.estimates["candidate"]["snips"].value == pytest.approx(full.estimates["candidate"]["dr"].value, abs=0.1)
        assert boiler.serving() == "boiler.2"
        assert boiler.roll_back().model_id == "boiler.1"
        clock.advance(SECOND)
        assert boiler.serving() == "boiler.1"


def test_the_lake_keeps_values_and_densities_and_an_older_one_is_read_judged_and_merged(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path / "data", clock=clock) as boiler:
        played(boiler, clock, 30, seed=2)
        boiler.join()
        for part in (tmp_path / "data").rglob("decisions-*.parquet"):
            older = pq.read_table(part)
            pq.write_table(older.drop_columns(["values", "density"]), part)
        assert boiler.audit("2:3").same
        played(boiler, clock, 40, seed=3)
        (log,) = boiler.join().interactions()
        assert log.box is not None
        assert np.isnan(log.box.density).sum() == 30
        report = boiler.judging.estimate("boiler.0", boiler.join())
        assert report.excluded["no values or density were logged"] > 0
        assert report.verdict == "insufficient_data"
        inside = log.box.values[30:]
        assert ((inside >= BOX.low) & (inside <= BOX.high)).all()
        decision = next(each for each in boiler._lake.find("3:4") if hasattr(each, "values"))
        assert decision.values == tuple(log.box.values[log.event_ids.index("3:4")])


@pytest.mark.parametrize("mode", ["canary", "shadow"])
def test_a_challenger_on_trial_decides_its_share_of_a_box_or_scores_it(tmp_path: Path, mode: str) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path / "data", clock=clock) as boiler:
        boiler.take_in(aiming(tmp_path, 0.0), "hand", (), {})
        with boiler.trainer():
            worse = boiler.modelling.take_in(aiming(tmp_path, 1.0), "hand", (), {}).model_id
        boiler.canary(worse, 0.5) if mode == "canary" else boiler.shadow(worse)
        clock.advance(SECOND)
        models = played(boiler, clock, 400, seed=4)
        if mode == "canary":
            assert 150 <= models.count(worse) <= 250
        else:
            assert set(models) == {"boiler.1"}
            boiler._following.save()
            step = boiler.rollouts.current()
            assert step is not None
            counts = boiler.rollouts.findings.counts(step)
            assert counts.errors == 0
            assert counts.distance.n > 20
            assert counts.distance.mean > 0.5
            assert counts.agreed == 0
        for i in range(5):
            assert boiler.audit(f"4:{i}").same
        clock.advance(100 * SECOND)
        with boiler.trainer():
            ended = boiler._cycle.advance(boiler._cycle.join())
        assert ended is not None
        assert (ended.kind, boiler.serving()) == ("roll back", "boiler.1"), ended.reason


def test_a_model_whose_values_are_others_than_when_it_was_taken_in_is_not_hosted(tmp_path: Path) -> None:
    golden = GoldenRequest('{"observation":[0.1,0.2]}', ranged_actions(*BOX).raw.decode(), (1.0,), (21.0, 1.5))
    with Experiment.open(SETTINGS, tmp_path / "data", clock=ManualClock()) as boiler, pytest.raises(CorruptModel, match="golden"):
        boiler.take_in(aiming(tmp_path, 0.0), "hand", (golden,), {})


def test_episodes_of_a_box_are_gathered_from_the_log_with_their_densities(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path / "data", clock=clock) as boiler:
        played(boiler, clock, 6, seed=5)
        logged, counts = gather(boiler.join().interactions(), ranges=BOX, policy="boiler")
        assert logged is not None
        assert (counts.n_episodes, logged.header.low, logged.header.n_actions) == (1, BOX.low, 0)
        assert logged.action.shape == (6, 2)
        assert logged.probability == pytest.approx(np.full(6, 1 / 200))
        boiler.reward(boiler.decide({"observation": [0.0, 0.0]}, event_id="9:0", explore=False).event_id, 0.0)
        clock.advance(SECOND)
        with pytest.raises(InvalidInput, match="explore: false"):
            gather(boiler.join().interactions(), ranges=BOX)


def test_what_speaks_of_arms_alone_says_so_and_the_doctor_knows_boxes(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path / "data", clock=clock) as boiler:
        played(boiler, clock, 120, seed=6)
        boiler.join()
        found = {finding.check: finding for finding in boiler.doctor().findings}
        assert found["exploration"].severity == "ok"
        assert found["overlap"].numbers["ess"] == pytest.approx(120)
        assert boiler.doctor().learnability is None
        for refused in (
            lambda: boiler.explain("boiler.0"),
            lambda: boiler.explain_event("6:1"),
            lambda: boiler.score(tmp_path, tmp_path),
        ):
            with pytest.raises(Conflict, match="acts over a box"):
                refused()
        assert boiler.export(tmp_path / "events.dsjson").refused == 120
        assert boiler.export(tmp_path / "events.jsonl").written == 120
        row = msgspec.json.decode((tmp_path / "events.jsonl").read_bytes().splitlines()[0])
        assert (len(row["values"]), row["density"]) == (2, pytest.approx(1 / 200))
        played(boiler, clock, 1, seed=7)
        for i in range(200):
            boiler.reward(boiler.decide({"observation": [0.0, 0.0]}, event_id=f"8:{i}", explore=False).event_id, 0.0)
        clock.advance(SECOND)
        boiler.join()
        assert {each.check: each for each in boiler.doctor().findings}["exploration"].severity == "warning"


def test_events_over_arms_that_lack_a_reading_are_left_out_and_counted_too(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = msgspec.structs.replace(SETTINGS, experiment="valve", actions=4)
    with Experiment.open(settings, tmp_path / "data", clock=clock) as valve:
        for i in range(200):
            context: dict[str, object] = {} if i % 2 else {"observation": [0.1, 0.2]}
            valve.reward(valve.decide(context, event_id=f"v{i}").event_id, -1.0)
            clock.advance(SECOND)
        valve.take_in(choosing(tmp_path), "hand", (), {})
        _, report, _ = valve.take_in(choosing(tmp_path), "hand", (), {})
        assert report is not None
        assert report.n > 10
        assert report.excluded["a policy needs a reading that the context lacks"] > 5
