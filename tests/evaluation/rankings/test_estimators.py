"""Rankings: the peer's numbers, numbers by hand, and unbiasedness where an assumption holds (and only there)."""

import itertools

import msgspec
import numpy as np
import pytest

from rewardloop.errors import InvalidInput
from rewardloop.evaluation import (
    RankedSample,
    cascade_dr,
    cascade_ips,
    independent_ips,
    joint_ips,
    pseudo_inverse,
    ranked_sample,
    without_replacement,
)
from rewardloop.events import Choice, Decision

LOGGED = np.array([[0.5, 0.4, 0.25], [0.2, 0.6, 0.5], [0.7, 0.3, 0.9], [0.1, 0.5, 0.8]])
TARGET = np.array([[0.6, 0.1, 0.5], [0.3, 0.3, 0.4], [0.2, 0.6, 0.7], [0.05, 0.9, 0.3]])
LOGGED_ALONE = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.4], [0.7, 0.2, 0.6], [0.1, 0.45, 0.7]])
TARGET_ALONE = np.array([[0.6, 0.2, 0.4], [0.3, 0.25, 0.35], [0.2, 0.5, 0.6], [0.05, 0.8, 0.4]])
REWARD = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0], [0.3, 0.2, 1.0], [0.0, 0.0, 1.0]])
EVENTS = RankedSample(LOGGED, TARGET, REWARD, LOGGED_ALONE, TARGET_ALONE)
FITTED = np.array([[0.64, 0.91, 0.82], [0.18, 0.86, 0.12], [1.0, 0.65, 0.14], [0.89, 0.34, 0.23]])
DIRECT = np.array([[0.428, 0.694, 0.41], [0.432, 0.552, 0.45], [0.728, 0.606, 0.191], [0.6081666667, 0.364, 0.342]])


@pytest.mark.parametrize(
    ("scores", "value"),
    [
        (joint_ips(EVENTS), 0.6260416666666666),
        (cascade_ips(EVENTS), 0.8079861111111112),
        (independent_ips(EVENTS), 1.2142857142857144),
        (cascade_dr(EVENTS, DIRECT, FITTED), 1.0633766865079366),
    ],
)
def test_the_peer_says_the_same(scores, value):
    """sb-obp 0.5.10: SlateStandardIPS, SlateRewardInteractionIPS, SlateIndependentIPS, SlateCascadeDoublyRobust."""
    assert scores.mean() == pytest.approx(value, abs=1e-9)


def test_numbers_by_hand():
    one = RankedSample(
        np.array([[0.5, 0.25]]), np.array([[1.0, 0.5]]), np.array([[1.0, 3.0]]), np.array([[0.5, 0.4]]), np.array([[1.0, 0.2]])
    )
    assert joint_ips(one).tolist() == [4 * 4.0]
    assert cascade_ips(one).tolist() == [2 * 1.0 + 4 * 3.0]
    assert independent_ips(one).tolist() == [2 * 1.0 + 0.5 * 3.0]
    assert pseudo_inverse(one).tolist() == [(1 + 1 - 0.5) * 4.0]
    assert cascade_dr(one, np.array([[0.3, 0.2]]), np.array([[0.5, 0.1]])).tolist() == pytest.approx(
        [0.3 + 2 * 0.5 + 2 * 0.2 + 4 * 2.9]
    )


# A world small enough to add up exactly: every ranking of 2 of 3 items, its probability, and what it earns under a click model.
RANKINGS = list(itertools.permutations(range(3), 2))
ATTRACTION = np.array([0.9, 0.5, 0.1])


def plackett_luce(scores):
    """(rankings, 2) conditional and (rankings, 2) marginal probabilities of each ranking."""
    first = np.array(scores) / sum(scores)
    given = np.array([[first[a], scores[b] / (sum(scores) - scores[a])] for a, b in RANKINGS])
    whole = given.prod(axis=1)
    second = np.array([sum(p for p, (_, b) in zip(whole, RANKINGS, strict=True) if b == item) for item in range(3)])
    return given, np.array([[first[a], second[b]] for a, b in RANKINGS])


def expected_rewards(model):
    """(rankings, 2) mean reward of each position: alone; only if the one above was not clicked; or spoilt by what stands below."""
    a, b = np.array(RANKINGS).T
    top, below = ATTRACTION[a], ATTRACTION[b]
    return np.stack(
        {"alone": (top, below / 2), "cascade": (top, (1 - top) * below), "joint": (top * (1 - below), below)}[model], axis=1
    )


def values(model):
    """What each estimator expects, added up over all rankings that could be logged; and the truth."""
    (logged, logged_alone), (target, target_alone) = plackett_luce([1.0, 2.0, 4.0]), plackett_luce([5.0, 2.0, 1.0])
    reward = expected_rewards(model)
    events = RankedSample(logged, target, reward, logged_alone, target_alone)
    p = logged.prod(axis=1)
    noise = np.random.default_rng(3).random((6, 2))
    found = {f.__name__: float(p @ f(events)) for f in (joint_ips, cascade_ips, independent_ips)}
    found["cascade_dr"] = float(p @ cascade_dr(events, *model_of_nothing(target, noise)))
    return found, float(target.prod(axis=1) @ reward.sum(axis=1))


def model_of_nothing(target, noise):
    """A reward model of noise, with its mean under the target policy given what stands above."""
    top = np.array([noise[2 * a, 0] for a, _ in RANKINGS])
    first = dict(zip([a for a, _ in RANKINGS], target[:, 0], strict=True))
    mean_top = sum(first[a] * noise[2 * a, 0] for a in range(3))
    rows = {a: [i for i, ranking in enumerate(RANKINGS) if ranking[0] == a] for a in range(3)}
    mean_below = np.array([sum(target[i, 1] * noise[i, 1] for i in rows[a]) for a, _ in RANKINGS])
    return np.stack([np.full(6, mean_top), mean_below], axis=1), np.stack([top, noise[:, 1]], axis=1)


@pytest.mark.parametrize(
    ("model", "unbiased"),
    [
        ("alone", {"joint_ips", "cascade_ips", "cascade_dr", "independent_ips"}),
        ("cascade", {"joint_ips", "cascade_ips", "cascade_dr"}),
        ("joint", {"joint_ips"}),
    ],
)
def test_each_is_unbiased_where_its_assumption_holds_and_only_there(model, unbiased):
    found, truth = values(model)
    for name, value in found.items():
        assert (value == pytest.approx(truth, abs=1e-12)) == (name in unbiased), name


def test_the_pseudo_inverse_needs_no_reward_of_the_single_slot():
    """Two independent slots of 2 and 3 options; the reward of the whole, known once, is a sum over slots."""
    logged = (np.array([0.3, 0.7]), np.array([0.2, 0.5, 0.3]))
    target = (np.array([0.8, 0.2]), np.array([0.6, 0.1, 0.3]))
    worth = (np.array([1.0, 0.2]), np.array([0.5, 0.1, 0.9]))
    slates = list(itertools.product(range(2), range(3)))
    p, w = (np.array([[of[0][a], of[1][b]] for a, b in slates]) for of in (logged, target))
    whole = np.array([[0.0, worth[0][a] + worth[1][b]] for a, b in slates])
    found = pseudo_inverse(RankedSample(p, w, whole, p, w))
    truth = sum(of @ value for of, value in zip(target, worth, strict=True))
    assert p.prod(axis=1) @ found == pytest.approx(truth, abs=1e-12)


def test_a_good_model_narrows_the_cascade():
    generator = np.random.default_rng(0)
    weight = generator.choice([0.2, 1.8], size=(20_000, 3))
    logged = np.full(weight.shape, 0.5)
    reward = generator.random(weight.shape) / 10 + 0.5
    events = RankedSample(logged, weight / 2, reward)
    left = np.tile([1.65, 1.1, 0.55], (20_000, 1))
    assert cascade_dr(events, left, left).mean() == pytest.approx(1.65, abs=0.01)
    assert cascade_dr(events, left, left).std() < 0.1 * cascade_ips(events).std()


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"logged": np.array([[0.5, 0.0]])}, r"logged\[0\]\[1\]"),
        ({"target": np.array([[1.5, 0.5]])}, r"target\[0\]\[0\]"),
        ({"reward": np.array([[np.nan, 0.5]])}, r"reward\[0\]\[0\]"),
        ({"target": np.array([[0.5, 0.5, 0.5]])}, "target"),
        ({"logged_marginal": np.array([[0.5, np.nan]])}, r"logged_marginal\[0\]\[1\]"),
    ],
)
def test_what_is_no_ranking_is_named(change, at):
    good = {name: np.array([[0.5, 0.5]]) for name in ("logged", "target", "reward")}
    with pytest.raises(InvalidInput, match=at):
        RankedSample(**(good | change))


def test_without_the_positions_own_probabilities_it_is_said_what_is_missing():
    with pytest.raises(InvalidInput, match="cascade_ips needs no others"):
        independent_ips(RankedSample(LOGGED, TARGET, REWARD))


def decision(slots, pmf=(0.5, 0.3, 0.2)):
    return Decision("e", "x", "x.0", 0, b"{}", b'["a","b","c"]', pmf, slots[0].action if slots else 0, 0.5, 0, 0.5, slots=slots)


TWO = (Choice("1", 0, 0.5, (0.5, 0.3, 0.2)), Choice("2", 2, 0.4, (0.0, 0.6, 0.4)))


def test_logged_decisions_become_a_sample_and_the_policy_that_logged_them_earns_what_was_earned():
    log = [decision(TWO), decision(TWO[:1])]
    found = ranked_sample(log, [{"2": 1.0}, {"1": 3.0}], without_replacement(lambda one: one.pmf))
    np.testing.assert_allclose(found.logged, [[0.5, 0.4], [0.5, 1.0]])
    np.testing.assert_allclose(found.target, found.logged)
    assert cascade_ips(found).tolist() == pytest.approx([1.0, 3.0])
    assert found.logged_marginal is None


def test_another_policy_is_seen_given_what_was_shown_above():
    found = ranked_sample([decision(TWO)], [{}], without_replacement(lambda _: (0.2, 0.2, 0.6)))
    np.testing.assert_allclose(found.target, [[0.2, 0.75]])


def test_slates_with_actions_of_their_own_are_independent():
    slate = tuple(msgspec.structs.replace(choice, actions=b'["a","b","c"]') for choice in TWO)
    found = ranked_sample([decision(slate)], [{"1": 1.0}], lambda _, position: (0.1, 0.1, 0.8) if position else (0.9, 0.1, 0.0))
    assert independent_ips(found).tolist() == pytest.approx([0.9 / 0.5])
    assert pseudo_inverse(found).tolist() == pytest.approx([0.9 / 0.5 + 0.8 / 0.4 - 1])


@pytest.mark.parametrize(
    ("slots", "earned", "target", "said"),
    [
        ((), {}, [1.0], "with slots"),
        (TWO, {"3": 1.0}, [1.0, 0.0, 0.0], "got one of `3`"),
        (TWO, {}, [1.0], "each offered action"),
        (TWO, {"1": float("nan")}, [1.0, 0.0, 0.0], "finite"),
    ],
)
def test_what_cannot_be_read_is_named(slots, earned, target, said):
    with pytest.raises(InvalidInput, match=said):
        ranked_sample([decision(slots)], [earned], lambda *_: target)
