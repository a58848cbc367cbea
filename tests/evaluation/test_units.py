"""The slots of one decision are one observation: their mean stays, and its interval is that of decisions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardloop.actions import fixed_actions
from rewardloop.evaluation import Sample, evaluate, judge, look
from rewardloop.evaluation.estimates import by_estimator
from rewardloop.evaluation.folds import folds
from rewardloop.evaluation.planning.learnability import policy_scores
from rewardloop.evaluation.reward_models.drawing import draw
from rewardloop.evaluation.units import Units, UnitTally, units_of
from rewardloop.ids import part_of, slot_event_id
from rewardloop.interactions import Interactions
from rewardloop.settings import GateSettings
from rewardloop.settings.schema import Guardrail

ARMS = fixed_actions(["a", "b"])
SLOTS = 4
ONE_LOOK = GateSettings(rule="strict", interval="normal", min_events=150, min_ess=20)


def slotted(n_decisions, generator, cost=False):
    """Four slots a decision; `a` earns more for one half of the visitors and as much less for the other, at every slot."""
    visitor = np.repeat(generator.choice([-1.0, 1.0], n_decisions), SLOTS)
    n = len(visitor)
    action = generator.integers(2, size=n)
    reward = (generator.random(n) < 0.5 + 0.35 * visitor * (1 - 2 * action)).astype(np.float64)
    return Interactions(
        event_ids=[slot_event_id(f"e{i}", f"s{slot}", slot) for i in range(n_decisions) for slot in range(SLOTS)],
        contexts=[{"kind": float(each)} for each in visitor],
        actions=[ARMS] * n,
        action=action,
        probability=np.full(n, 0.5),
        reward=reward,
        pmf=np.full(2 * n, 0.5),
        offsets=np.arange(n + 1) * 2,
        sample_prob=np.linspace(0, 1, n, endpoint=False),
        closed_at=np.arange(n),
        metrics={"cost": 1.0 - reward} if cost else {},
    )


def equals(log):
    """Two policies that earn the same, 1/2, and differ on every decision."""
    return np.tile([0.95, 0.05], len(log)), np.tile([0.05, 0.95], len(log))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(0, 9))
def test_a_mean_stays_and_weights_average_the_same(number, seed):
    scores = np.random.default_rng(seed).normal(size=len(number))
    units = Units(len(number), np.unique(number, return_inverse=True)[1])
    for found in (units.scores(scores), units.weights(scores)):
        assert len(found) == len(units) == len(set(number))
        assert found.mean() == pytest.approx(scores.mean(), abs=1e-12)


def test_events_without_slots_keep_their_bits():
    scores = np.random.default_rng(0).normal(size=9)
    units = units_of([f"e{i}" for i in range(9)])
    assert units.number is None
    assert units.scores(scores) is scores
    assert units.taken(scores > 0).number is None


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["a", "b", "c.0", "c.1", "d.0", "d.1"]), min_size=1, max_size=12, unique=True), st.integers(0, 12))
def test_units_are_the_same_however_a_log_is_cut(names, cut):
    ids = [slot_event_id(name[0], name[2:], int(name[2:])) if "." in name else name for name in names]
    tally = UnitTally()
    for batch in (ids[:cut], ids[cut:]):
        tally.add(batch)
    units = tally.result()
    number = range(len(ids)) if units.number is None else units.number.tolist()
    first: dict[str, int] = {}
    assert list(number) == [first.setdefault(name[0], len(first)) for name in names]


def test_the_interval_of_policies_that_earn_the_same_holds_as_often_as_it_says():
    """Slots taken for independent: held in about .89 of logs. Of 200 logs at .95, fewer than 180 are one in 2,000."""
    held = 0
    for seed in range(200):
        log = slotted(150, np.random.default_rng(seed))
        found = evaluate(log, *equals(log), ONE_LOOK, (0.0, 1.0), seed).difference
        held += found.lower <= 0.0 <= found.upper
    assert held >= 180


def test_the_gate_counts_decisions():
    log = slotted(149, np.random.default_rng(1))
    report = evaluate(log, *equals(log), ONE_LOOK, (0.0, 1.0), 0)
    assert (report.verdict, report.n, report.difference.n) == ("insufficient_data", 596, 149)
    assert "149 decisions (596 slots) held out can be used; this rule needs 150." in report.summary
    assert report.support.ess <= 149
    assert report.candidate["dr"].ess == report.support.ess


def test_a_guardrail_counts_decisions():
    log = slotted(160, np.random.default_rng(2), cost=True)
    rails = GateSettings(rule="no_harm", guardrails=(Guardrail(metric="cost", worse="higher", tolerance=0.0),))
    rule = next(rule for rule in evaluate(log, *equals(log), rails, (0.0, 1.0), 0).rules if rule.name == "guardrail cost")
    assert "160 events" in rule.sentence


def test_a_log_in_batches_that_cut_decisions_is_judged_the_same():
    log = slotted(160, np.random.default_rng(3))
    ours, theirs = equals(log)
    batches = [log.take(np.arange(0, 321)), log.take(np.arange(321, 640))]
    ends = {321: slice(0, 642), 319: slice(642, 1280)}
    policies = {name: lambda batch, pmf=pmf: pmf[ends[len(batch)]] for name, pmf in (("candidate", ours), ("hosted", theirs))}
    pieces = judge(look(lambda: iter(batches), policies, 7), ONE_LOOK, (0.0, 1.0))
    whole = evaluate(log, ours, theirs, ONE_LOOK, (0.0, 1.0), 7)
    assert pieces.difference.n == whole.difference.n == 160
    assert pieces.difference.lower == pytest.approx(whole.difference.lower, rel=1e-9)


def test_slots_of_a_decision_share_a_fold_and_are_learned_from_together():
    log = slotted(50, np.random.default_rng(4))
    whole = [part_of(event_id).event_id for event_id in log.event_ids]
    pairs = set(zip(whole, folds(log.event_ids, 0).tolist(), strict=True))
    assert len(pairs) == 50
    assert {fold for _, fold in pairs} == set(range(5))
    drawn = draw(iter([(log, np.empty((200, 0)))]), 0, n=40).events
    assert len({part_of(event_id).event_id for event_id in drawn.event_ids}) == 10


def test_estimates_of_units_have_the_values_of_the_events_and_wider_intervals():
    log = slotted(150, np.random.default_rng(5))
    reward = np.repeat(np.random.default_rng(6).random(150), SLOTS)
    events = Sample(np.where(log.action == 0, 1.9, 0.1), reward, np.full(600, 0.5), np.full(600, 0.5))
    apart, together = by_estimator(events, 0.95, None), by_estimator(events, 0.95, None, units=units_of(log.event_ids))
    for name in ("snips", "dr", "cdr", "cressie_read"):
        assert together[name].value == pytest.approx(apart[name].value, abs=0.01)
        assert together[name].upper - together[name].lower > 1.4 * (apart[name].upper - apart[name].lower)


def test_what_is_to_be_gained_is_told_of_decisions():
    assert [len(column) for column in policy_scores(slotted(60, np.random.default_rng(7)))[:4]] == [60] * 4
