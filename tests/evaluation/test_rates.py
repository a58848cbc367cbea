"""How often the gate errs and the intervals cover, over many logs with a known truth. Seeds are fixed: each test passes or fails
for ever; the rate in its docstring is how often a fresh seed would fail it though the code is right."""

import numpy as np
import pytest

import bandit_worlds as worlds
from rewardloop.evaluation import evaluate
from rewardloop.settings import GateSettings

LOGGING = worlds.policy(0.7, epsilon=0.2)
HOSTED = worlds.policy(0.7, epsilon=0.02)


def reports(candidate, rule, *, n, repetitions, logging=LOGGING):
    settings = GateSettings(rule=rule)
    for seed in range(repetitions):
        log, (candidate_pmf, hosted_pmf) = worlds.log(n, logging, np.random.default_rng([seed, n]), candidate, HOSTED)
        yield evaluate(log, candidate_pmf, hosted_pmf, settings, (0.0, 1.0), seed)


def promoted(candidate, rule, *, n, repetitions, logging=LOGGING):
    return np.mean([report.passed for report in reports(candidate, rule, n=n, repetitions=repetitions, logging=logging)])


def covers(estimate, truth):
    return estimate.lower <= truth <= estimate.upper


def test_the_interval_of_dr_covers_the_truth():
    """Nominal .95, 120 logs of 2,000 at epsilon .2: false alarm below 1 in 100 each where it truly covers .94."""
    candidate = worlds.policy(0.75, 0.02, seed=1)
    seen = list(reports(candidate, "strict", n=2000, repetitions=120))
    assert np.mean([covers(report.candidate["dr"], candidate.value) for report in seen]) >= 0.88
    assert np.mean([covers(report.hosted["dr"], HOSTED.value) for report in seen]) >= 0.88
    assert np.mean([covers(report.difference, candidate.value - HOSTED.value) for report in seen]) >= 0.88


def test_cressie_read_covers_where_support_is_thin():
    """60 logs of 1,000 at epsilon .02, where the normal interval of IPS covered .37 of 100 and this one all of them."""
    candidate = worlds.policy(0.8, 0.02, seed=1)
    seen = list(reports(candidate, "strict", n=1000, repetitions=60, logging=worlds.policy(0.7, 0.02)))
    assert np.mean([covers(report.candidate["cressie_read"], candidate.value) for report in seen]) >= 0.93
    assert np.mean([covers(report.candidate["ips"], candidate.value) for report in seen]) <= 0.9


@pytest.mark.parametrize("accuracy", [0.68, 0.7])
def test_strict_promotes_no_more_than_one_in_twenty_that_is_not_better(accuracy):
    """A worse candidate, and an equal one with other mistakes.

    Nominal .025, measured 0 and .005 of 400; 120 logs: false alarm 1 in 12 at nominal, below 1 in 1,000 as measured.
    """
    assert promoted(worlds.policy(accuracy, 0.02, seed=1), "strict", n=2000, repetitions=120) <= 0.05


def test_strict_sees_an_improvement_of_eight_points():
    """+.08 at epsilon .2 and n = 8,000: power ≥ .9; 30 logs; false alarm below 1 in 250 at a power of .99."""
    candidate = worlds.policy(0.7 + 0.08 / 0.98, 0.02, seed=1)
    assert candidate.value - HOSTED.value == pytest.approx(0.08, abs=0.002)
    assert promoted(candidate, "strict", n=8000, repetitions=30) >= 0.9


def test_no_harm_lets_equals_through_and_stops_a_loss_of_four_points():
    """60 logs of 2,000; measured .97 and 0 of 100: false alarm below 1 in 1,000."""
    assert promoted(worlds.policy(0.7, 0.02, seed=1), "no_harm", n=2000, repetitions=60) >= 0.85
    assert promoted(worlds.policy(0.66, 0.02, seed=0), "no_harm", n=2000, repetitions=60) <= 0.1
