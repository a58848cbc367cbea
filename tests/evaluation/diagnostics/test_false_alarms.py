"""On clean logs each statistical check is silent: 300 logs, fixed seeds, at most 1 % alarms (nominally .1 %)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from observed_logs import clean_interactions, observed, with_columns
from rewardloop.evaluation.diagnostics.calibration import calibration
from rewardloop.evaluation.diagnostics.drift import context_drift, reward_drift
from rewardloop.evaluation.diagnostics.split import sample_ratio
from rewardloop.ids import slot_event_id
from rewardloop.interactions import Interactions

LOGS = 300
MOST = 3
PLACES = 3


@pytest.fixture(scope="module")
def alarms() -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in range(LOGS):
        log = clean_interactions(np.random.default_rng(seed), n=1_000, floor=(0.3, 0.05)[seed % 2])
        alone = with_columns(log, pmf=np.full_like(log.pmf, np.nan))
        checks = {
            "calibration": calibration(log),
            "calibration of probabilities alone": calibration(alone),
            "context_drift": context_drift(log),
            "reward_drift": reward_drift(log),
            "sample_ratio": sample_ratio(observed(log)),
        }
        found.update(name for name, finding in checks.items() if finding.severity in ("warning", "error"))
    return found


@pytest.mark.parametrize(
    "check", ["calibration", "calibration of probabilities alone", "context_drift", "reward_drift", "sample_ratio"]
)
def test_clean_logs_raise_no_alarm(alarms: Counter[str], check: str) -> None:
    assert alarms[check] <= MOST


@pytest.mark.parametrize(("n", "floor"), [(200, 0.02), (500, 0.04), (2_500, 0.04)])
def test_a_policy_that_learned_is_no_drift(n: int, floor: float) -> None:
    """An action that is hardly taken any more where it does not suit earns more by what is seen of it: that is no change of it."""
    alarms = 0
    for seed in range(LOGS // 3):
        generator = np.random.default_rng(seed)
        first, second = (clean_interactions(generator, n, floor=share, signal=0.7) for share in (1.0, floor))
        alarms += reward_drift(Interactions.concatenated([first, second])).severity == "warning"
    assert alarms <= MOST // 3


def test_rare_words_are_no_drift() -> None:
    """Which words are told apart must not depend on which half they were seen in first."""
    alarms = 0
    for seed in range(LOGS):
        generator = np.random.default_rng(seed)
        log = clean_interactions(generator, n=250)
        contexts = [{"word": f"w{word}"} for word in generator.zipf(1.5, 250)]
        alarms += context_drift(with_columns(log, contexts=contexts)).severity == "warning"
    assert alarms <= MOST


def test_the_places_of_a_ranking_are_one_draw_of_their_context() -> None:
    alarms = 0
    for seed in range(LOGS):
        generator = np.random.default_rng(seed)
        log = clean_interactions(generator, n=1_200)
        words = np.repeat(generator.integers(4, size=len(log) // PLACES), PLACES)
        ids = [slot_event_id(f"visit-{i // PLACES}", f"place-{i % PLACES}") for i in range(len(log))]
        placed = with_columns(log, event_ids=ids, contexts=[{"word": f"w{word}"} for word in words])
        alarms += context_drift(placed).severity == "warning"
    assert alarms <= MOST


def test_p_values_of_calibration_are_uniform_on_clean_logs() -> None:
    """The χ² has the right distribution, not merely few alarms: a tenth of the p-values lie below .1, give or take."""
    logs = (clean_interactions(np.random.default_rng(seed), n=1_000) for seed in range(LOGS))
    p = np.array([calibration(log).numbers["p_value"] for log in logs])
    assert 0.04 < (p < 0.1).mean() < 0.16
    assert 0.38 < (p < 0.5).mean() < 0.62
