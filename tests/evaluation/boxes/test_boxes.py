"""Policies over a box are judged by ratios of densities: what they would earn is found, and what the log cannot tell is refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rewardloop.actions import Ranges, ranged_actions
from rewardloop.evaluation import judge
from rewardloop.evaluation.boxes import BoxPolicy, look_at_box
from rewardloop.evaluation.boxes.screening import UNREAD
from rewardloop.evaluation.estimators.estimators import ESTIMATORS
from rewardloop.interactions import Box, Floats, Interactions
from rewardloop.policies.continuous import Spread, draw
from rewardloop.policies.spreads import Spreads
from rewardloop.settings import GateSettings

BOX = Ranges((0.0, 0.0), (1.0, 2.0))
ACTIONS = ranged_actions(*BOX)
GATE = GateSettings(min_events=100, min_ess=20)


def logged(n: int, seed: int) -> Interactions:
    """Every value alike; the reward is 1 less the squared distance to a point that moves with the context, and noise."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 1, n)
    values = generator.uniform(BOX.low, BOX.high, (n, 2))
    reward = 1 - np.square(values[:, 0] - x) - np.square(values[:, 1] / 2 - 0.5) + generator.normal(0, 0.1, n)
    ones, numbers = np.ones(n), np.arange(n)
    return Interactions(
        [f"{seed}:{i}" for i in range(n)],
        [{"x": float(each), "word": "w"} for each in x],
        [ACTIONS] * n,
        np.zeros(n, np.int64),
        ones,
        reward,
        ones,
        np.append(numbers, n).astype(np.int64),
        generator.uniform(0, 1, n),
        numbers.astype(np.int64),
        box=Box(values, np.full(n, 0.5)),
    )


def aiming(off: float, deviation: float = 0.15, floor: float = 0.1) -> BoxPolicy:
    """Draws about the best point, `off` beside it."""

    def said(log: Interactions) -> Spreads:
        scale = (deviation, 2 * deviation)
        return Spreads.of([Spread("normal", (number(each["x"]) + off, 1.0), scale) for each in log.contexts], BOX, floor)

    return said


def number(value: float | str) -> float:
    assert isinstance(value, float)
    return value


def earns(policy: BoxPolicy) -> float:
    """By 20,000 draws, one at a time."""
    log = logged(20_000, 99)
    spreads = policy(log)
    rows = zip(spreads.location, spreads.scale, strict=True)
    each = [Spread("normal", tuple(location), tuple(scale)) for location, scale in rows]
    values = np.array([draw(one, BOX, floor=spreads.floor, explore=True, seed=i).values for i, one in enumerate(each)])
    x = np.array([number(each["x"]) for each in log.contexts])
    return float((1 - np.square(values[:, 0] - x) - np.square(values[:, 1] / 2 - 0.5)).mean())


def estimates(policy: BoxPolicy, logs: Sequence[Interactions], name: str) -> Floats:
    found = [look_at_box(lambda log=log: iter([log]), {"it": policy}, BOX, 0).samples["it"] for log in logs]  # type: ignore[misc]
    return np.array([ESTIMATORS[name](sample).mean() for sample in found])


@pytest.mark.parametrize("off", [0.0, 0.3])
def test_estimates_have_no_bias_and_the_reward_model_narrows_them(off: float) -> None:
    logs = [logged(400, seed) for seed in range(40)]
    policy, truth = aiming(off), earns(aiming(off))
    by_ips, by_dr = estimates(policy, logs, "ips"), estimates(policy, logs, "dr")
    for found in (by_ips, by_dr):
        assert abs(found.mean() - truth) <= 4 * found.std() / len(logs) ** 0.5 + 2e-3
    assert by_dr.std() < by_ips.std() / 2


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth, held = earns(aiming(0.1)), 0
    for seed in range(60):
        log = logged(400, seed)
        seen = look_at_box(lambda log=log: iter([log]), {"candidate": aiming(0.1)}, BOX, 0)  # type: ignore[misc]
        found = judge(seen, GATE, (-1.0, 1.5)).candidate["dr"]
        held += found.lower <= truth <= found.upper
    assert held >= 51, "of 60 at 95 %: 51 or fewer in one of ten thousand"


@pytest.mark.parametrize("rule", ["no_harm", "strict"])
@pytest.mark.parametrize(
    ("candidate", "hosted", "verdict"),
    [
        (aiming(0.0), aiming(0.4), "promote"),
        (aiming(0.4), aiming(0.0), "keep"),
        (aiming(0.0, deviation=0.002, floor=0.0), aiming(0.0), "insufficient_support"),
    ],
)
def test_the_gate_promotes_keeps_and_refuses(rule: str, candidate: BoxPolicy, hosted: BoxPolicy, verdict: str) -> None:
    log = logged(1_500, 1)
    gate = GateSettings(rule=rule, min_events=100, min_ess=20)  # type: ignore[arg-type]
    report = judge(look_at_box(lambda: iter([log]), {"candidate": candidate, "hosted": hosted}, BOX, 0), gate, (-1.0, 1.5))
    assert report.verdict == verdict, report.summary
    assert type(report).from_json(report.to_json()) == report


def test_a_log_that_never_did_what_the_policy_does_is_found_out_however_even_its_weights_are() -> None:
    """Logged in the left half alone, with the density of that half: a policy over all of the box has weights of a half."""
    log = logged(1_000, 3)
    assert log.box is not None
    left = log.take(log.box.values[:, 0] < 0.5)
    assert left.box is not None
    halved = Interactions(*[getattr(left, name) for name in left.__slots__[:-1]], Box(left.box.values, left.box.density * 2))
    uniform: BoxPolicy = lambda some: Spreads.of([Spread("uniform")] * len(some), BOX, 0.0)  # noqa: E731
    report = judge(look_at_box(lambda: iter([halved]), {"candidate": uniform}, BOX, 0), GATE, None)
    assert report.verdict == "insufficient_support"
    assert "average 0.5" in report.summary


def test_the_same_policy_changes_nothing_and_strict_does_not_promote_it() -> None:
    log = logged(1_000, 5)
    seen = look_at_box(lambda: iter([log]), {"candidate": aiming(0.1), "hosted": aiming(0.1)}, BOX, 0)
    assert seen.changed == 0
    assert judge(seen, GateSettings(rule="strict", min_ess=20), None).verdict == "keep"
    assert look_at_box(lambda: iter([log]), {"a": aiming(0.0), "b": aiming(1.0)}, BOX, 0).changed > 0.5  # type: ignore[operator]


def test_batches_give_what_one_batch_gives() -> None:
    log = logged(500, 7)
    whole = look_at_box(lambda: iter([log]), {"it": aiming(0.1)}, BOX, 0)
    parts = look_at_box(lambda: iter([log.take(np.arange(k, k + 100)) for k in range(0, 500, 100)]), {"it": aiming(0.1)}, BOX, 0)
    for name in ("weight", "direct", "fitted"):
        assert getattr(whole.samples["it"], name) == pytest.approx(getattr(parts.samples["it"], name), rel=1e-9)


def test_what_cannot_be_used_is_counted_by_its_reason() -> None:
    log = logged(8, 11)
    assert log.box is not None
    log.box.density[:3] = [np.nan, np.inf, 0.0]
    log.box.values[3] = [1.5, 0.0]
    log.reward[4] = np.nan

    def unread(some: Interactions) -> Spreads:
        lacks = some.event_ids.index("11:7")
        return Spreads.of([None if i == lacks else Spread("uniform") for i in range(len(some))], BOX, 0.0)

    seen = look_at_box(lambda: iter([log]), {"candidate": unread}, BOX, 0)
    assert len(seen) == 2
    assert seen.excluded == {
        "no values or density were logged": 1,
        "the values were not drawn (`explore: false`)": 1,
        "the logged density is not above 0": 1,
        "the logged values lie outside the range": 1,
        "the reward is missing or not finite": 1,
        UNREAD: 1,
    }
    of_arms = Interactions(*[getattr(log, name) for name in log.__slots__[:-1]])
    assert look_at_box(lambda: iter([of_arms]), {"candidate": unread}, BOX, 0).excluded == {"no values or density were logged": 8}
