"""A log that is streamed says what the same log says in memory, however it is cut; what is bounded is said and stays honest."""

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bandit_worlds as worlds
from rewardloop.actions import parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import estimate_all, evaluate, judge, look, support
from rewardloop.evaluation.estimates import estimate_seen
from rewardloop.evaluation.reward_models.drawing import draw, taken_alone
from rewardloop.evaluation.reward_models.reward_model import RewardModel
from rewardloop.settings import GateSettings

LOGGING, CANDIDATE, HOSTED = worlds.policy(0.6, 0.3), worlds.policy(0.9, 0.1), worlds.policy(0.6, 0.1)
N = 1_200


def spoilt():
    log, pmfs = worlds.log(N, LOGGING, np.random.default_rng(4), CANDIDATE, HOSTED)
    log.reward[[3, 700]] = np.nan
    log.probability[N - 1] = 0.0
    log.pmf[200:230] = np.nan
    return log, pmfs


LOG, PMFS = spoilt()


def cut(edges, whole=LOG, pmfs=PMFS):
    """The log in batches, and two policies that serve each as the whole was served."""
    batches = [whole.take(np.arange(start, stop)) for start, stop in pairwise(edges)]
    ends = {id(batch): slice(10 * start, 10 * stop) for batch, (start, stop) in zip(batches, pairwise(edges), strict=True)}
    named = zip(("candidate", "hosted"), pmfs, strict=True)
    return lambda: iter(batches), {name: lambda batch, pmf=pmf: pmf[ends[id(batch)]] for name, pmf in named}


def numbers(report):
    """Every number of a gate's report, flat."""
    found = [getattr(report.support, name) for name in report.support.__struct_fields__]
    for named in (report.candidate, report.hosted, {"": report.difference}, {"": report.logged}):
        found += [
            number for estimate in named.values() for number in (estimate.value, estimate.lower, estimate.upper, estimate.ess)
        ]
    return found + [rule.number for rule in report.rules]


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(0, N), max_size=6))
def test_the_gate_says_the_same_of_a_log_in_pieces(inner):
    log, serve = cut([0, *sorted(inner), N])
    whole = evaluate(LOG, *PMFS, GateSettings(rule="strict"), (0.0, 1.0), 7)
    pieces = judge(look(log, serve, 7), GateSettings(rule="strict"), (0.0, 1.0))
    assert (pieces.verdict, pieces.n, pieces.excluded) == (whole.verdict, N - 3, whole.excluded)
    np.testing.assert_allclose(numbers(pieces), numbers(whole), rtol=1e-9, atol=1e-12)


def test_every_estimator_says_the_same_of_a_log_in_pieces():
    log, serve = cut([0, 500, 501, N])
    whole = estimate_all(LOG, PMFS[0], level=0.95, reward_range=(0.0, 1.0), seed=7)
    pieces = estimate_seen(look(log, serve, 7, robust=True), "candidate", 0.95, (0.0, 1.0))
    assert list(pieces) == list(whole)
    for name, estimate in whole.items():
        np.testing.assert_allclose(
            [pieces[name].value, pieces[name].lower, pieces[name].upper],
            [estimate.value, estimate.lower, estimate.upper],
            rtol=1e-9,
        )


def test_actions_with_features_are_streamed_too():
    text = b'[{"id": "a", "features": {"x": %d}}, {"id": "b", "features": {"x": 1, "os": "ios"}}]'
    sets = [parse_actions(text % (i % 7)) for i in range(300)]
    generator = np.random.default_rng(0)
    log = worlds.interactions(np.full((300, 2), 0.5), generator.integers(2, size=300), generator.random(300), actions=sets)
    pmf = np.tile([0.2, 0.8], 300)
    whole = estimate_all(log, pmf, level=0.95, reward_range=None, seed=0)
    batches = [log.take(np.arange(start, start + 100)) for start in (0, 100, 200)]
    seen = look(lambda: iter(batches), {"it": lambda batch: pmf[: batch.offsets[-1]]}, 0)
    assert estimate_seen(seen, "it", 0.95, None)["dr"].value == pytest.approx(whole["dr"].value, rel=1e-9)


def test_a_reward_model_of_fewer_events_leaves_the_weights_alone_and_dr_honest():
    whole = estimate_all(LOG, PMFS[0], level=0.95, reward_range=(0.0, 1.0), seed=7)
    log, serve = cut([0, 400, 800, N])
    seen = look(log, serve, 7, learn_from=300)
    found = estimate_seen(seen, "candidate", 0.95, (0.0, 1.0))
    assert (seen.n_learned, len(seen)) == (300, N - 3)
    assert found["snips"].value == pytest.approx(whole["snips"].value, rel=1e-9)
    assert found["dr"].value != whole["dr"].value
    assert found["dr"].lower < CANDIDATE.value < found["dr"].upper


def test_no_event_is_predicted_by_a_model_that_saw_it():
    """Rewards are noise: a model that had seen the event would be nearer to its reward than to that of others."""
    log, _ = worlds.log(3_000, LOGGING, np.random.default_rng(0))
    noise = dataclasses.replace(log, reward=np.random.default_rng(1).normal(size=3_000))
    seen = look(
        lambda: iter([noise.take(np.arange(0, 1_000)), noise.take(np.arange(1_000, 3_000))]),
        {"it": lambda b: b.pmf},
        3,
        learn_from=900,
    )
    events = seen.samples["it"]
    assert np.corrcoef(events.fitted, events.reward)[0, 1] < 0.06


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, N), max_size=9), st.integers(1, 400))
def test_the_same_events_are_drawn_however_the_log_is_cut(inner, n):
    edges = [0, *sorted(inner), N]
    whole = draw([(LOG, LOG.reward[:, None])], 5, n)
    pieces = draw([(LOG.take(np.arange(a, b)), LOG.reward[a:b, None]) for a, b in pairwise(edges)], 5, n)
    assert list(pieces.events.event_ids) == list(whole.events.event_ids)
    assert pieces.positions.tolist() == whole.positions.tolist()
    assert (len(whole.events), whole.n_seen) == (n, N)
    np.testing.assert_array_equal(pieces.beside[:, 0], LOG.reward[pieces.positions])


def test_what_was_not_taken_teaches_nothing():
    """A reward model is the same, to the bit, where it never sees the features of other actions; and they are not kept."""
    generator = np.random.default_rng(2)
    offers = [
        parse_actions(json.dumps([{"id": f"a{i}", "features": {"x": generator.normal()}} for i in range(k)]).encode())
        for k in generator.integers(1, 5, N)
    ]
    sizes = np.array([len(offered) for offered in offers])
    wide = dataclasses.replace(
        LOG.take(np.arange(N) != 3),
        actions=offers[1:],
        action=generator.integers(sizes[1:]),
        pmf=np.repeat(1 / sizes[1:], sizes[1:]),
        offsets=np.cumsum([0, *sizes[1:]]),
    )
    wide = wide.take(~np.isnan(wide.reward))
    alone = taken_alone(wide)
    assert [offered.ids for offered in alone.actions] == [
        (offered.ids[i],) for offered, i in zip(wide.actions, wide.action, strict=True)
    ]
    whole, small = RewardModel.fit(wide, 7), RewardModel.fit(alone, 7)
    np.testing.assert_array_equal(whole.predict(wide, whole.fold), small.predict(wide, small.fold))


def test_fixed_arms_are_left_as_they_are():
    assert taken_alone(LOG) is LOG


@pytest.mark.parametrize("n", [0, 1])
def test_a_log_of_next_to_nothing_says_so(n):
    seen = look(
        lambda: iter([LOG.take(np.arange(n)), LOG.take(np.arange(3, 4))]),
        {"candidate": lambda b: np.tile(np.eye(10)[0], len(b))},
        0,
    )
    assert (len(seen), seen.support, sum(seen.excluded.values())) == (n, None, 1)
    assert judge(seen, GateSettings(), None).verdict == "insufficient_data"


def test_a_policy_that_is_no_distribution_is_named():
    with pytest.raises(InvalidInput, match="sum to 1"):
        look(lambda: iter([LOG]), {"candidate": lambda batch: 2 * batch.pmf}, 0)


def test_support_without_logged_distributions_is_streamed_exactly():
    unknown = dataclasses.replace(LOG.take(np.arange(4, 600)), pmf=np.full(5960, np.nan))
    pmfs = [pmf[40:6000] for pmf in PMFS]
    usable = np.isfinite(unknown.reward)
    log, serve = cut([0, 100, 596], unknown.take(usable), [pmf[usable.repeat(10)] for pmf in pmfs])
    whole = support(unknown.take(usable), pmfs[0][usable.repeat(10)])
    found = look(log, serve, 0).support
    assert found.clipped_weight_error == pytest.approx(whole.clipped_weight_error, rel=1e-9)
    assert whole.clipped_weight_error > 0
