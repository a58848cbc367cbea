"""The report and the gate say the same of the same events; the report survives JSON, and nothing to say is said."""

import msgspec
import numpy as np
import pytest

import bandit_worlds
from rewardloop.evaluation import EvaluationReport, Subject, estimate_all, evaluate, full_report, look
from rewardloop.settings import GateSettings

LOGGING = bandit_worlds.policy(0.5, 0.3)
BETTER, WORSE = bandit_worlds.policy(0.9, 0.1), bandit_worlds.policy(0.6, 0.1)
SETTINGS = GateSettings()


def report(n, hosted=True, settings=SETTINGS, spoil=lambda log: log, seed=1):
    log, pmfs = bandit_worlds.log(n, LOGGING, np.random.default_rng(seed), BETTER, WORSE)
    log = spoil(log)
    named = dict(zip(("candidate", "hosted") if hosted else ("candidate",), pmfs, strict=False))
    serve = {name: lambda _, pmf=pmf: pmf for name, pmf in named.items()}
    gate = evaluate(log, named["candidate"], named.get("hosted"), settings, (0.0, 1.0), 0)
    subject = Subject(
        experiment="digits",
        candidate="digits.2",
        hosted="digits.1" if hosted else None,
        dataset="ab" * 16,
        watermark=1_700_000_000_000_000,
        n_events=5 * n,
        n_held_out=n,
    )
    return full_report(subject, gate, look(lambda: iter([log]), serve, 0, robust=True), settings, (0.0, 1.0)), log, named


def test_the_report_repeats_the_gate_and_adds_every_estimator():
    found, log, pmfs = report(1000)
    for name, pmf in pmfs.items():
        assert found.estimates[name] == estimate_all(log, pmf, level=0.95, reward_range=(0.0, 1.0), seed=0)
        assert found.estimates[name].items() >= getattr(found.gate, name).items()
    assert found.estimates["logged"]["mean"] == found.gate.logged
    assert found.difference == found.gate.difference


@pytest.mark.parametrize("rule", ["no_harm", "strict"])
def test_every_curve_ends_where_the_gate_stands(rule):
    found, *_ = report(1000, settings=GateSettings(rule=rule))
    assert found.convergence["candidate"][-1] == pytest.approx(found.gate.candidate["dr"])
    assert found.convergence["hosted"][-1].value == pytest.approx(found.gate.hosted["dr"].value)
    last = found.convergence["difference"][-1]
    assert (last.value, last.lower, last.upper) == pytest.approx(
        (found.difference.value, found.difference.lower, found.difference.upper)
    )


def test_without_a_hosted_model_the_log_takes_its_place():
    found, log, _ = report(500, hosted=False)
    assert found.baseline == "logged"
    assert set(found.convergence) == {"candidate", "logged", "difference"}
    assert found.convergence["logged"][-1].value == pytest.approx(log.reward.mean())
    assert set(found.weights) == {"candidate"}


def test_the_report_survives_json():
    found, *_ = report(300)
    again = EvaluationReport.from_json(found.to_json())
    assert again == found
    assert b"null" not in msgspec.json.encode(found.convergence)


def test_the_same_input_gives_the_same_bits():
    assert report(300)[0].to_json() == report(300)[0].to_json()


def test_excluded_events_are_in_no_number():
    def spoil(log):
        log.reward[:7] = np.nan
        log.probability[7:10] = 0.0
        return log

    found, *_ = report(400, spoil=spoil)
    assert found.gate.excluded == {"the logged probability is not in (0, 1]": 3, "the reward is missing or not finite": 7}
    assert {estimate.n for named in found.estimates.values() for estimate in named.values()} == {390}
    assert found.convergence["difference"][-1].n == 390


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_events_leave_only_the_verdict(n):
    found, *_ = report(n)
    assert found.gate.verdict == "insufficient_data"
    assert (found.estimates, found.convergence, found.weights, found.difference) == ({}, {}, {}, None)
    assert EvaluationReport.from_json(found.to_json()) == found
