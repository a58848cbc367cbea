import dataclasses

import numpy as np
import pytest

from bandit_worlds import interactions
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import evaluate
from rewardloop.evaluation.screening import screen
from rewardloop.interactions import Interactions
from rewardloop.settings import GateSettings

N = 12
GOOD = interactions(np.tile([0.25, 0.75], (N, 1)), action=[0, 1] * 6, reward=np.arange(N) / N)
TARGET = np.tile([0.5, 0.5], N)


def spoiled(field, row, value):
    column = getattr(GOOD, field).copy()
    column[row] = value
    return dataclasses.replace(GOOD, **{field: column})


def test_a_good_log_is_used_whole():
    usable, excluded = screen(GOOD)
    assert usable.all()
    assert excluded == {}


@pytest.mark.parametrize(
    ("field", "row", "value", "reason"),
    [
        ("probability", 3, np.nan, "no probability was logged"),
        ("probability", 3, 0.0, "the logged probability is not in (0, 1]"),
        ("probability", 3, -0.5, "the logged probability is not in (0, 1]"),
        ("probability", 3, 1.5, "the logged probability is not in (0, 1]"),
        ("reward", 3, np.nan, "the reward is missing or not finite"),
        ("reward", 3, np.inf, "the reward is missing or not finite"),
        ("action", 3, 2, "the chosen action was not offered"),
        ("action", 3, -1, "the chosen action was not offered"),
        ("pmf", 6, 0.5, "the logged distribution is negative or does not sum to 1"),
        ("pmf", 6, np.nan, "the logged distribution is negative or does not sum to 1"),
        ("probability", 3, 0.7, "the logged probability differs from the logged distribution"),
    ],
)
def test_a_faulty_event_is_excluded_and_counted_by_reason(field, row, value, reason):
    report = evaluate(spoiled(field, row, value), TARGET, None, GateSettings(), (0, 1), 0)
    assert report.excluded == {reason: 1}
    assert report.n == N - 1
    assert np.isfinite(report.candidate["dr"].value)


def test_the_other_events_give_the_estimate_they_give_alone():
    keep = np.arange(N) != 3
    whole = evaluate(spoiled("reward", 3, np.nan), TARGET, TARGET, GateSettings(), (0, 1), 0)
    alone = evaluate(GOOD.take(keep), TARGET[2:], TARGET[2:], GateSettings(), (0, 1), 0)
    assert whole.candidate == alone.candidate
    assert whole.difference == alone.difference


def test_an_event_with_two_faults_counts_once():
    both = dataclasses.replace(spoiled("probability", 3, np.nan), reward=spoiled("reward", 3, np.nan).reward)
    assert screen(both)[1] == {"no probability was logged": 1}


def test_a_log_without_distributions_is_fine():
    unknown = dataclasses.replace(GOOD, pmf=np.full(2 * N, np.nan))
    assert screen(unknown)[0].all()


def test_nothing_usable_is_insufficient_data():
    none = dataclasses.replace(GOOD, reward=np.full(N, np.nan))
    for log, target in ((none, TARGET), (Interactions.empty(), np.empty(0))):
        report = evaluate(log, target, target, GateSettings(), None, 0)
        assert (report.verdict, report.n, report.candidate, report.difference) == ("insufficient_data", 0, {}, None)


@pytest.mark.parametrize(
    ("pmf", "message"),
    [
        (TARGET[:-1], "Expected 24 probabilities"),
        (TARGET * 2, "a sum of 2"),
        (np.where(np.arange(24) == 5, np.nan, TARGET), "for event `e2`"),
        (np.tile([1.5, -0.5], N), "a least of -0.5"),
    ],
)
@pytest.mark.parametrize("who", ["candidate", "hosted"])
def test_a_policy_that_is_no_distribution_is_an_error(pmf, message, who):
    policies = (pmf, TARGET) if who == "candidate" else (TARGET, pmf)
    with pytest.raises(InvalidInput, match=message) as error:
        evaluate(GOOD, *policies, GateSettings(), None, 0)
    assert error.value.at == who
