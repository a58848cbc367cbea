"""Minima, maxima, ramps, exclusions, the baseline and `explore: false`: what is logged is what is drawn, and replays.

Each χ² test is over 10,000 decisions, alpha .001.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from ranking_worlds import Weighted
from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.replaying import replay, replay_slots
from rewardloop.errors import InvalidSettings
from rewardloop.events import Decision
from rewardloop.ids import EventIds
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.exploration import limited, serve_pmf, serve_pmf_many, serve_rows
from rewardloop.policies.exposure import Exposure, Limits
from rewardloop.settings import Duration, ExperimentSettings, ExposureRule, parse_settings
from rewardloop.settings.schema import Mode

ARMS = ("a", "b", "c", "d")
DAY = 86_400_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)
MINIMUM = (ExposureRule(action="a", minimum=0.3),)
MAXIMUM = (ExposureRule(action="d", maximum=0.15), ExposureRule(action="b", minimum=0.25, maximum=0.5))
RAMP = (ExposureRule(action="d", since=START, start=0.02, over=Duration(10 * DAY)),)


def decided(
    rules: tuple[ExposureRule, ...] = (),
    *,
    floor: float = 0.1,
    n: int = 10_000,
    at: int = 0,
    mode: Mode = "online",
    **parts: object,
) -> tuple[list[Decision], Hosted]:
    """Half of them one by one, half in batches; the policy's weights are 1, 2, 3, 4."""
    settings = ExperimentSettings(experiment="offers", actions=ARMS, exposure=rules, mode=mode, baseline="c")
    clock = ManualClock(int(START.timestamp() * 1e6) + at)
    hosted = Hosted("offers.1", Weighted(), floor, exposure=Exposure.of(settings))
    decider = Decider(settings, 3, EventIds(clock, key=7, start=0), clock)
    request = DecideRequest(context=msgspec.Raw(b"{}"), **parts)  # type: ignore[arg-type]
    single = [decider.decide(hosted, request)[0] for _ in range(n // 2)]
    many = [each for _ in range(n // 1_000) for each, _ in decider.decide_many(hosted, [request] * 500)]
    return single + many, hosted


@pytest.mark.parametrize(
    ("rules", "parts", "expected"),
    [
        ((), {}, [0.115, 0.205, 0.295, 0.385]),
        (MINIMUM, {}, [0.3, 0.205, 0.295, 0.385]),
        (MAXIMUM, {}, [0.115, 0.205 * 0.85 / 0.615, 0.295, 0.15]),
        (MINIMUM, {"excluded": ["d"]}, [0.3, 1 / 30 + 0.3, 1 / 30 + 0.45, 0.0]),
        (MINIMUM, {"explore": False}, [0.0, 0.0, 0.0, 1.0]),
        (RAMP, {}, [0.115, 0.205, 0.295, 0.02]),
        (RAMP, {"at": 2 * DAY}, [0.115, 0.205, 0.295, 0.02 + 0.98 * 0.2]),
        (RAMP, {"at": 20 * DAY}, [0.115, 0.205, 0.295, 0.385]),
        (MINIMUM, {"mode": "apprentice"}, [0.0, 0.0, 1.0, 0.0]),
    ],
)
def test_what_is_logged_is_what_is_drawn_and_replays(
    rules: tuple[ExposureRule, ...], parts: dict[str, object], expected: Sequence[float]
) -> None:
    decisions, hosted = decided(rules, **parts)  # type: ignore[arg-type]
    pmf = decisions[0].pmf
    assert {each.pmf for each in decisions} == {pmf}
    assert all(each.probability == pmf[each.action] for each in decisions)
    counts, likely = np.bincount([each.action for each in decisions], minlength=4), np.array(pmf) > 0
    assert not counts[~likely].any()
    assert likely.sum() == 1 or chisquare(counts[likely], np.array(pmf)[likely] * len(decisions)).pvalue > 0.001
    for i, rule in enumerate(expected):
        bound = any(each.action == ARMS[i] for each in rules)
        assert not bound or pmf[i] == pytest.approx(rule, abs=1e-9), "what has a rule is at it, the others keep their proportions"
    for each in (*decisions[:20], *decisions[-20:]):
        assert replay(each, hosted.policy, hosted.floor, hosted.exposure) == (each.pmf, each.action, each.probability)


def test_rankings_and_slots_keep_the_limits_of_what_is_left() -> None:
    decisions, hosted = decided(MINIMUM, n=1_000, top_k=2)
    first = np.array([each.slots[0].pmf for each in decisions])
    assert first[:, 0] == pytest.approx(np.full(len(first), 0.3))
    below = [each.slots[1].pmf[0] for each in decisions if each.slots[0].action != 0]
    assert min(below) >= 0.3 - 1e-12
    assert all(replay_slots(each, hosted) == each.slots for each in decisions[:20])


shares = st.lists(st.floats(0, 1), min_size=4, max_size=4)


@given(raw=shares, low=shares, high=shares, floor=st.sampled_from([0.0, 0.1, 0.5]), gone=st.sets(st.integers(0, 3), max_size=3))
def test_limits_leave_a_distribution_that_keeps_them_wherever_they_can_be_kept(
    raw: list[float], low: list[float], high: list[float], floor: float, gone: set[int]
) -> None:
    limits = Limits(tuple(min(pair) / 4 for pair in zip(low, high, strict=True)), tuple(map(max, low, high)))
    allowed = [i for i in range(4) if i not in gone]
    if sum(raw[i] for i in allowed) < 1e-6:
        return
    pmf = serve_pmf(raw, floor=floor, excluded=tuple(sorted(gone)), limits=limits)
    assert sum(pmf) == pytest.approx(1.0, abs=1e-12)
    assert all(pmf[i] == 0.0 for i in gone)
    floors = [min(max(limits.low[i], floor / len(allowed)), limits.high[i]) for i in allowed]
    if sum(floors) <= 1.0 <= sum(limits.high[i] for i in allowed):
        for i, least in zip(allowed, floors, strict=True):
            assert least - 1e-12 <= pmf[i] <= limits.high[i] + 1e-12


@given(rows=st.lists(shares.filter(lambda row: sum(row) > 1e-6), min_size=1, max_size=5))
def test_one_and_many_are_limited_alike(rows: list[list[float]]) -> None:
    limits = Limits((0.0, 0.25, 0.1, 0.0), (0.3, 1.0, 0.5, 0.2))
    one = [serve_pmf(row, floor=0.1, limits=limits) for row in rows]
    assert serve_rows(np.array(rows), floor=0.1, limits=limits).tolist() == one
    flat = serve_pmf_many(np.array(rows).ravel(), np.arange(len(rows) + 1) * 4, 0.1, limits=[limits] * len(rows))
    assert flat == pytest.approx(np.array(one).ravel(), abs=1e-12)


def test_what_cannot_be_kept_is_scaled() -> None:
    assert limited([0.5, 0.5], Limits((0.8, 0.8), (1.0, 1.0)), 0.0) == [0.5, 0.5]
    assert limited([0.9, 0.1], Limits((0.0, 0.0), (0.3, 0.1)), 0.0) == pytest.approx([0.75, 0.25])
    assert limited([1.0, 0.0], Limits((0.0, 0.0), (0.0, 0.0)), 0.0) == [1.0, 0.0]
    assert limited([1.0, 0.0, 0.0], Limits((0.0,) * 3, (0.4, 1.0, 1.0)), 0.0) == pytest.approx([0.4, 0.3, 0.3])


def test_the_audit_of_an_experiment_replays_a_ramp(tmp_path: Path) -> None:
    settings = ExperimentSettings(experiment="offers", actions=ARMS, exposure=RAMP)
    clock = ManualClock(int(START.timestamp() * 1e6))
    with Experiment.open(settings, tmp_path, clock=clock) as offers:
        first = offers.decide({})
        clock.advance(DAY)
        later = offers.decide({})
        assert first.pmf[3] == pytest.approx(0.02)
        assert later.pmf[3] == pytest.approx(0.02 + 0.98 * 0.1)
        for each in (first, later):
            assert offers.audit(each.event_id).same


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("[{action: e}]", r"`e` is none of the actions.* at `\$\.exposure\[0\]\.action`"),
        ("[{action: a}, {action: a}]", "has a rule already"),
        ("[{action: a, minimum: 0.5, maximum: 0.4}]", "at most the maximum"),
        ("[{action: a, minimum: 0.6}, {action: b, minimum: 0.6}]", "more than 1"),
        ("[{action: a, since: soon}]", "an instant such as"),
        ("[{action: a, minimum: 2}]", "from 0 to 1"),
        ("[{action: a, since: '2026-01-01T00:00:00Z', over: 0s}]", "no length"),
    ],
)
def test_rules_that_are_none_are_refused(rules: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        parse_settings(f"actions: [a, b, c, d]\nexposure: {rules}\n", "offers.yaml")
    text = "actions: [a, b]\nexposure: [{action: a, since: '2026-01-01T00:00:00Z', over: 3d}]\n"
    assert parse_settings(text, "offers.yaml").settings.exposure[0].since == START
