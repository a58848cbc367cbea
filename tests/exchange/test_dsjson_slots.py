"""Decisions over several slots go into Decision Service JSON and come back, and are learned from."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vowpalwabbit import Workspace

from builders import AT, learned_from
from rewardloop.clock import SECOND
from rewardloop.events import Choice, Decision, Reward
from rewardloop.exchange import export_file, format_of, import_file
from rewardloop.lake import DataSet, Lake
from rewardloop.loop.experiment import Experiment
from rewardloop.settings import Duration, ExperimentSettings, RewardSettings
from rewardloop.slots import left

ARMS = ("a", "b", "c")
FEATURED = b'[{"id":"a","features":{"price":1}},{"id":"b","features":{"price":2}},{"id":"c","features":{"price":3}}]'
SLOTS = [{"_id": "top"}, {"_id": "side"}]
CCB = {
    "Timestamp": "2021-04-26T17:23:28.1726275", "Version": "1", "EventId": "e1", "VWState": {"m": "m7"}, "_ba": [1, 2],
    "c": {
        "FromUrl": [{"weather": "sunny"}],
        "_multi": [{"_tag": "a", "j": [{"roast": "light"}]}, {"_tag": "b"}, {"_tag": "c"}],
        "_slots": [{"_id": "main", "sj": [{"size": "large"}]}, {"_id": "side"}],
    },
    "_outcomes": [
        {"_label_cost": -1.0, "_id": "main", "_a": [2, 0, 1], "_p": [0.5, 0.25, 0.25], "_o": [], "_original_label_cost": 0.0},
        {"_label_cost": 0.5, "_id": "side", "_a": [0, 1], "_p": [0.75, 0.25], "_o": []},
    ],
}  # fmt: skip


def lake(directory: Path, name: str = "lake") -> Lake:
    return Lake(directory / "offers" / name, RewardSettings(window=Duration(60 * SECOND)))


def imported(directory: Path, path: Path, arms: tuple[str, ...] | None, name: str = "again") -> DataSet:
    found = lake(directory, name)
    report = import_file(found, path, arms, AT + 200 * SECOND)
    assert (report.imported, report.skipped) == (report.rows, {})
    return found.join(AT + 300 * SECOND)


def said(data: DataSet) -> dict[str, tuple[object, ...]]:
    return learned_from(data.interactions(), digits=9)


@st.composite
def events(draw: st.DrawFn) -> tuple[Decision, tuple[float, ...]]:
    """A ranking, slots or a slate, with a reward a slot."""
    kind = draw(st.sampled_from(["ranking", "slots", "slate"]))
    n = draw(st.integers(1, 3))
    taken: set[int] = set()
    choices: list[Choice] = []
    for i in range(n):
        excluded = draw(st.sets(st.integers(0, 2), max_size=3 - n)) if kind == "slots" else set()
        rows = left(3, excluded, () if kind == "slate" else taken)
        if not rows:
            excluded, rows = set(), left(3, taken)
        shares = np.array(draw(st.lists(st.integers(1, 9), min_size=len(rows), max_size=len(rows))), float)
        pmf = [0.0] * 3
        for row, share in zip(rows, shares / shares.sum(), strict=True):
            pmf[row] = float(share)
        action = draw(st.sampled_from(rows))
        taken.add(action)
        features = b"" if kind == "ranking" else b'{"size":"%s"}' % draw(st.sampled_from([b"large", b"tall"]))
        named = str(i + 1) if kind == "ranking" else f"slot {i}"
        raw = FEATURED if kind == "slate" else b""
        choices.append(Choice(named, action, pmf[action], tuple(pmf), features, tuple(sorted(excluded)), raw))
    first = choices[0]
    whole = Decision(
        "", "offers", "offers.1", AT, b'{"age":31}', FEATURED, first.pmf, first.action, first.probability, 1, 0.5,
        slots=tuple(choices),
    )  # fmt: skip
    return whole, tuple(draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=n, max_size=n)))


@given(st.lists(events(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_what_is_exported_comes_back_as_it_was(made: list[tuple[Decision, tuple[float, ...]]]) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        first = lake(directory)
        for i, (decision, rewards) in enumerate(made):
            whole = Decision(f"order {i}", *[getattr(decision, field) for field in decision.__struct_fields__[1:]])
            told = [
                Reward(whole.event_id, "offers", reward, AT + 1, slot=choice.slot)
                for choice, reward in zip(whole.slots, rewards, strict=True)
            ]
            first.append([whole, *told], b"1")
        data = first.join(AT + 100 * SECOND)
        path = directory / "events.dsjson"
        report = export_file(data, path, format_of(path, None))
        assert (report.events, report.written) == (len(made), len(made))
        again = imported(directory, path, None)
        assert said(again) == said(data)
        path.rename(directory / "before")
        export_file(again, path, format_of(path, None))
        assert sorted(path.read_text().splitlines()) == sorted((directory / "before").read_text().splitlines())


def test_the_services_own_slots_are_read(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(CCB) + "\n")
    data = imported(tmp_path, tmp_path / "h.json", None)
    main, side = (value for _, value in sorted(said(data).items()))
    light: tuple[object, ...] = ({"j.roast": "light"}, {}, {})
    assert main == ({"FromUrl.weather": "sunny", "slot.id": "main", "slot.sj.size": "large"}, ARMS, light, 2, 0.5, 1.0)
    assert side == ({"FromUrl.weather": "sunny", "slot.id": "side"}, ("a", "b"), light[:2], 0, 0.75, -0.5)
    assert data.wholes(["e1"])["e1"].model_id == "m7"


def test_fixed_arms_keep_their_own_numbers_and_what_was_not_offered_is_excluded(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(CCB) + "\n")
    data = imported(tmp_path, tmp_path / "h.json", ("z", "c", "b", "a"))
    whole = data.wholes(["e1"])["e1"]
    assert [(choice.action, choice.pmf, choice.excluded) for choice in whole.slots] == [
        (1, (0.0, 0.5, 0.25, 0.25), (0,)),
        (3, (0.0, 0.0, 0.25, 0.75), (0,)),
    ]
    assert [value[1] for _, value in sorted(said(data).items())] == [("c", "b", "a"), ("b", "a")]


def test_taking_a_file_in_again_adds_nothing_and_a_later_reward_is_told_to_the_event(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(CCB) + "\n")
    found = lake(tmp_path)
    assert import_file(found, tmp_path / "h.json", None, AT).imported == 1
    report = import_file(found, tmp_path / "h.json", None, AT)
    assert (report.imported, [skipped.n for skipped in report.skipped.values()]) == (0, [1])
    assert found.join(AT + 100 * SECOND).n == 2
    assert (found.ledger.decisions, found.ledger.rewards_received, found.ledger.rewards_counted) == (2, 2, 2)
    assert [type(record) for record in found.find("e1")] == [Decision, Reward, Reward]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"_outcomes": []}, "Expected 1 to 100 slots - at `$._outcomes`"),
        ({"_outcomes": CCB["_outcomes"][:1]}, "Expected 1 slots, one an outcome - at `$.c._slots`"),  # type: ignore[index]
        ({"_outcomes": [CCB["_outcomes"][0]] * 2}, "Expected what no slot above shows"),  # type: ignore[index]
        ({"_outcomes": [{"_a": [7], "_p": [1]}, {}]}, "Expected distinct indices of actions, from 0 to 2 - at `$._outcomes[0]._a`"),
        ({"_outcomes": [{"_a": [0, 1], "_p": [1]}, {}]}, "Expected 2 probabilities, one an action - at `$._outcomes[0]._p`"),
        ({"_outcomes": [{"_a": [0], "_p": [0]}, {}]}, "Expected probabilities, the first of them above 0"),
        ({"_outcomes": [{"_a": [0], "_p": [1]}, {"_a": [1], "_p": [1]}]}, "Expected a number, got none - at `$.reward`"),
        ({"_outcomes": [3, {}]}, "Expected an object - at `$._outcomes[0]`"),
        ({"c": {**CCB["c"], "slot": 1}}, "Expected no context feature `slot`"),  # type: ignore[dict-item]
        ({"c": {**CCB["c"], "_slots": [{"_id": "x"}, {"_id": "x"}]}}, "Expected unique slot ids"),  # type: ignore[dict-item]
        ({"c": {**CCB["c"], "_slots": [{"id": "x"}, {}]}}, "Expected no feature `id` of a slot"),  # type: ignore[dict-item]
        ({"c": {**CCB["c"], "_multi": [{"_slot_id": 0}, {}]}}, "Expected actions of every slot"),  # type: ignore[dict-item]
        ({"c": {"_slots": []}}, "Expected actions - at `$.c._multi`"),
        ({"c": 3}, "Expected an object - at `$.c`"),
    ],
)
def test_slots_that_make_no_sense_are_counted_with_the_reason(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    (tmp_path / "h.json").write_text(json.dumps({**CCB, **change}) + "\n")
    report = import_file(lake(tmp_path), tmp_path / "h.json", None, AT)
    assert report.imported == 0
    assert next(iter(report.skipped)).startswith(reason)


def test_a_slot_that_is_still_open_keeps_the_event_out_of_the_file(tmp_path: Path) -> None:
    found = lake(tmp_path)
    open_slot = Choice("2", 1, 1.0, (0.0, 1.0))
    ranked = Decision(
        "e1", "offers", "m", AT, b"{}", b'["a","b"]', (0.5, 0.5), 0, 0.5, 1, 0.5, slots=(Choice("1", 0, 0.5, (0.5, 0.5)), open_slot)
    )
    found.append([ranked, Reward("e1", "offers", 1.0, AT + 1, final=True, slot="1")], b"1")
    data = found.join(AT + SECOND)
    report = export_file(data, tmp_path / "events.dsjson", format_of(tmp_path / "events.dsjson", None))
    assert (report.events, report.written, report.refused) == (1, 0, 1)
    assert report.first_refusal == "Expected all slots to be closed, got an open one of event `e1`"


def test_a_model_learns_from_slots_of_history(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = []
    for i in range(600):
        first, second = rng.choice(3, 2, replace=False).tolist()
        rest = [place for place in range(3) if place != first]
        other = next(place for place in rest if place != second)
        rows.append({
            "EventId": f"e{i}",
            "c": {"age": int(rng.integers(18, 80)), "_multi": [{"_tag": name} for name in ARMS], "_slots": SLOTS},
            "_outcomes": [
                {"_label_cost": -1.0 * (first == 0), "_a": [first, *rest], "_p": [1 / 3] * 3},
                {"_label_cost": -1.0 * (second == 2), "_a": [second, other], "_p": [0.5, 0.5]},
            ],
        })  # fmt: skip
    (tmp_path / "h.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Experiment.open(ExperimentSettings(experiment="films"), tmp_path / "data") as experiment:
        experiment.warm_start(tmp_path / "h.json")
        experiment.deploy(experiment.train().model_id)
        slots = [{"id": "top"}, {"id": "side"}]
        shown = [experiment.decide({"age": 31}, [*ARMS], slots=slots, event_id=f"s{i}").slots for i in range(50)]
    assert sum(top.action == 0 for top, _ in shown) > 40
    assert sum(side.action == 2 for _, side in shown) > 40


@pytest.mark.parametrize(("kind", "arguments"), [("slots", "--ccb_explore_adf"), ("slate", "--slates")])
def test_vowpal_wabbit_reads_what_is_written(tmp_path: Path, kind: str, arguments: str) -> None:
    own = FEATURED if kind == "slate" else b""
    top = Choice("top", 0, 0.5, (0.5, 0.25, 0.25), b'{"size":"large"}', (), own)
    side = Choice("side", 1, 0.5, (0.0, 0.5, 0.5) if kind == "slots" else (0.25, 0.5, 0.25), b"{}", (), own)
    found = lake(tmp_path)
    for i in range(20):
        whole = Decision(f"e{i}", "offers", "m", AT, b'{"age": 31}', FEATURED, top.pmf, 0, 0.5, 1, 0.5, slots=(top, side))
        found.append([whole, Reward(whole.event_id, "offers", 1.0, AT + 1)], b"1")
    path = tmp_path / "events.dsjson"
    export_file(found.join(AT + 100 * SECOND), path, format_of(path, None))
    vw = Workspace(f"{arguments} --dsjson --quiet -d {path}")
    seen, loss = vw.get_weighted_examples(), vw.get_sum_loss()
    vw.finish()
    assert seen == 20
    assert loss != 0
    assert np.isfinite(loss)
