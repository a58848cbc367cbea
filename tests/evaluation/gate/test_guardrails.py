"""Guardrails: kept back where a metric is worse beyond what is tolerated, whatever the reward says; never by chance more than α."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import bandit_worlds as worlds
from rewardloop.evaluation import GateReport, evaluate
from rewardloop.evaluation.gate.rules import Rule
from rewardloop.interactions import Interactions
from rewardloop.settings import GateSettings
from rewardloop.settings.schema import Guardrail

LOGGING, HOSTED, BETTER = worlds.policy(0.7, 0.2), worlds.policy(0.7, 0.02), worlds.policy(0.85, 0.02)
COST = GateSettings(guardrails=(Guardrail(metric="cost", tolerance=0.05),))


def judge(settings: GateSettings, dearer: float, *, told: float = 1.0, seed: int = 0, n: int = 4000) -> GateReport:
    """Arms whose reward is 1 cost `dearer` more than 1; a share `told` of events says so."""
    generator = np.random.default_rng(seed)
    log, (candidate, hosted) = worlds.log(n, LOGGING, generator, BETTER, HOSTED)
    return evaluate(_with_costs(log, dearer, told, generator), candidate, hosted, settings, (0.0, 1.0), seed)


def _with_costs(log: Interactions, dearer: float, told: float, generator: np.random.Generator) -> Interactions:
    cost = 1 + dearer * log.reward + 0.1 * generator.normal(size=len(log))
    return dataclasses.replace(log, metrics={"cost": np.where(generator.random(len(log)) < told, cost, np.nan)})


def rail(report: GateReport) -> Rule:
    return report.rules[-1]


def test_a_better_candidate_that_costs_too_much_is_kept_back() -> None:
    report = judge(COST, 2.0)
    assert (report.verdict, rail(report).name, rail(report).passed) == ("keep", "guardrail cost", False)
    assert "worse than the" in rail(report).sentence
    assert rail(report).sentence[1:] in report.summary
    assert GateReport.from_json(report.to_json()) == report


def test_what_is_tolerated_or_better_is_promoted() -> None:
    assert judge(COST, 0.1).passed
    assert judge(COST, -1.0).passed


def test_where_lower_is_worse_the_other_end_counts() -> None:
    settings = GateSettings(guardrails=(Guardrail(metric="cost", worse="lower"),))
    assert judge(settings, 2.0).passed
    assert judge(settings, -1.0).verdict == "keep"


def test_without_data_it_is_insufficient_data() -> None:
    for told in (0.0, 0.001):
        report = judge(COST, 0.0, told=told)
        assert (report.verdict, rail(report).otherwise) == ("insufficient_data", "insufficient_data")
        assert "carry the metric `cost`" in report.summary
    strict = GateSettings(rule="strict", min_events=500, guardrails=COST.guardrails)
    assert judge(strict, 0.0, told=0.05).verdict == "insufficient_data"


def test_half_of_the_events_tell_as_well_as_all_only_less() -> None:
    assert rail(judge(COST, 2.0, told=0.5)).passed is False


@pytest.mark.parametrize("interval", ["normal", "sequence"])
def test_a_metric_at_the_edge_of_what_is_tolerated_is_refused_seldom(interval: str) -> None:
    """True cost 1 + reward·d for each; d such that the candidate's is worse by exactly the tolerance: ≤ 2.5 % refused by chance."""
    dearer = 0.05 / (BETTER.value - HOSTED.value - 0.05 * HOSTED.value)
    settings = GateSettings(interval=interval, guardrails=COST.guardrails)  # type: ignore[arg-type]
    refused = [not rail(judge(settings, dearer, seed=seed, n=1500)).passed for seed in range(60)]
    assert sum(refused) <= 5
