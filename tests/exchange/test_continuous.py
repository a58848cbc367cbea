"""Continuous actions in files: Vowpal Wabbit's CATS, and our own rows, which keep the value and its density."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vowpalwabbit import Workspace

from builders import AT
from rewardloop.actions import celled_actions
from rewardloop.cells import Cells
from rewardloop.clock import SECOND
from rewardloop.events import Decision, Reward
from rewardloop.exchange import export_file, format_of, import_file
from rewardloop.lake import DataSet, Lake
from rewardloop.loop.experiment import Experiment
from rewardloop.settings import ContinuousActions, Duration, ExperimentSettings, RewardSettings

CELLS = Cells(0.0, 32.0, 32)
CATS = {"_label_ca": {"action": 20.5, "cost": -0.25, "pdf_value": 0.40625}, "EventId": "e1", "c": {"room": "bed", "_x": 1}}


def lake(directory: Path, name: str) -> Lake:
    return Lake(directory / "heating" / name, RewardSettings(window=Duration(60 * SECOND)))


def imported(directory: Path, path: Path, name: str = "again") -> DataSet:
    found = lake(directory, name)
    report = import_file(found, path, CELLS, AT + 200 * SECOND)
    assert (report.imported, report.skipped) == (report.rows, {})
    return found.join(AT + 300 * SECOND)


def said(data: DataSet) -> dict[str, tuple[object, ...]]:
    columns = ("event_id", "context", "actions", "action", "probability", "values", "density")
    rows = [
        (*cells, reward)
        for labels, table in data.rows(columns)
        for *cells, reward in zip(*(table[name].to_pylist() for name in columns), labels.reward.tolist(), strict=True)
    ]
    return {
        event_id: (json.loads(context), actions, action, pytest.approx(probability), values, density, reward)
        for event_id, context, actions, action, probability, values, density, reward in rows
    }


def logged(directory: Path, values: list[float], density: float = 0.03125) -> DataSet:
    found = lake(directory, "lake")
    for i, value in enumerate(values):
        cell = CELLS.cell(value, "$")
        pmf = tuple([1 / 32] * 32)
        drawn = Decision(
            f"e{i}", "heating", "m", AT, b'{"outdoor":-3.5}', celled_actions(CELLS).raw, pmf, cell, pmf[cell], 1, 0.5,
            values=(value,), density=density,
        )  # fmt: skip
        found.append([drawn, Reward(f"e{i}", "heating", i / 8, AT + 1)], b"1")
    return found.join(AT + 100 * SECOND)


def test_a_value_is_learned_from_in_its_cell_with_the_density_it_was_drawn_with(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(CATS) + "\n")
    (row,) = said(imported(tmp_path, tmp_path / "h.json")).values()
    assert row == ({"room": "bed"}, celled_actions(CELLS).raw.decode(), 20, 0.40625, [20.5], 0.40625, 0.25)


@pytest.mark.parametrize("name", ["dsjson", "jsonl", "csv", "parquet"])
@given(values=st.lists(st.floats(0, 32), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_values_come_back_to_the_bit(tmp_path_factory: pytest.TempPathFactory, name: str, values: list[float]) -> None:
    directory = tmp_path_factory.mktemp("heating")
    data = logged(directory, values)
    path = directory / f"events.{name}"
    assert export_file(data, path, format_of(path, None)).written == len(values)
    assert said(imported(directory, path)) == said(data)


def test_what_was_not_drawn_has_no_density_and_stays_in_our_own_formats(tmp_path: Path) -> None:
    data = logged(tmp_path, [16.5], math.inf)
    report = export_file(data, tmp_path / "events.dsjson", format_of(tmp_path / "events.dsjson", None))
    assert (report.written, report.refused) == (0, 1)
    for name in ("jsonl", "csv", "parquet"):
        path = tmp_path / f"events.{name}"
        export_file(data, path, format_of(path, None))
        assert said(imported(tmp_path, path, name)) == said(data)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ({"action": 33, "pdf_value": 0.1, "cost": 0}, "Expected a number from 0 to 32, got 33 - at `$.values`"),
        (
            {"action": 3, "pdf_value": 4, "cost": 0},
            "Expected a density above 0, up to 1, 1 over the width of a cell, got 4: more `cells` allow more",
        ),
        ({"action": 3, "pdf_value": 0, "cost": 0}, "Expected a density above 0"),
        ({"action": 3, "pdf_value": 0.1}, "Expected a number, got none - at `$._label_ca.cost`"),
        ({"action": [3, 4], "pdf_value": 0.1, "cost": 0}, "Expected a number - at `$.values`"),
        (7, "Expected an object - at `$._label_ca`"),
    ],
)
def test_a_value_that_makes_no_sense_is_counted_with_the_reason(tmp_path: Path, label: object, reason: str) -> None:
    (tmp_path / "h.json").write_text(json.dumps({**CATS, "_label_ca": label}) + "\n")
    report = import_file(lake(tmp_path, "lake"), tmp_path / "h.json", CELLS, AT)
    assert next(iter(report.skipped)).startswith(reason)


def test_an_experiment_without_a_range_says_that_it_needs_one(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(CATS) + "\n")
    for arms in (None, ("a", "b")):
        (reason,) = import_file(lake(tmp_path, "lake"), tmp_path / "h.json", arms, AT).skipped
        assert reason.startswith(
            "Expected a discrete action: a continuous one needs an experiment of `actions: {low, high, cells}`"
        )


def test_a_row_may_name_a_cell_but_not_another_one_than_its_value_is_in(tmp_path: Path) -> None:
    row = {"context": {"room": "bed"}, "values": [20.5], "density": 0.5, "action": "7", "reward": 1}
    (tmp_path / "h.jsonl").write_text(json.dumps(row) + "\n")
    report = import_file(lake(tmp_path, "lake"), tmp_path / "h.jsonl", CELLS, AT)
    assert list(report.skipped) == ["Expected `action` to be the cell of the value - at `$.action`"]


def test_a_model_learns_from_values_of_history(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 32, 500)
    rows = [
        {
            "_label_ca": {"action": float(value), "cost": abs(value - 20) / 32 - 1, "pdf_value": 1 / 32},
            "EventId": f"e{i}",
            "c": {"a": 1},
        }
        for i, value in enumerate(values)
    ]
    (tmp_path / "h.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    box = ContinuousActions(low=0, high=32, cells=32)
    with Experiment.open(ExperimentSettings(experiment="heating", actions=box), tmp_path / "data") as experiment:
        experiment.warm_start(tmp_path / "h.json")
        experiment.deploy(experiment.train().model_id)
        chosen = [experiment.decide({"a": 1}, event_id=f"s{i}").values[0] for i in range(50)]
    assert 17 < float(np.median(chosen)) < 23


def test_vowpal_wabbit_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "events.dsjson"
    export_file(logged(tmp_path, [4.5, 20.5, 31.0] * 5), path, format_of(path, None))
    vw = Workspace(f"--cats 4 --min_value 0 --max_value 32 --bandwidth 1 --dsjson --quiet -d {path}")
    seen, loss = vw.get_weighted_examples(), vw.get_sum_loss()
    vw.finish()
    assert (seen, np.isfinite(loss)) == (15, True)
