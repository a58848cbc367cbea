"""The Open Bandit sample: 10,000 events of a fashion shop logged by Bernoulli Thompson sampling, seen by the uniform policy.

`make test` puts the files beside the environment, as they come in the wheel of Open Bandit Pipeline; nothing of it is imported.
The expected numbers are the peers': Open Bandit Pipeline's IPS and SNIPS, the published Cressie–Read estimator.
"""

import csv
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bandit_worlds import interactions
from rewardloop.actions import fixed_actions
from rewardloop.evaluation import estimate_all, evaluate, support
from rewardloop.settings import GateSettings

FILES = Path(sys.prefix) / "open-bandit" / "obp" / "dataset" / "obd" / "bts"

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason=f"needs the Open Bandit sample in {FILES}: `make test` fetches it")


@cache
def sample_of(campaign):
    """The log, and the uniform policy on it."""
    with (FILES / campaign / f"{campaign}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (FILES / campaign / "item_context.csv").open(encoding="utf-8") as file:
        arms = fixed_actions([row["item_id"] for row in csv.DictReader(file)])
    n, k = len(rows), len(arms)
    users = [{f"u{i}": row[f"user_feature_{i}"] for i in range(4)} for row in rows]
    action = [arms.ids.index(row["item_id"]) for row in rows]
    reward = [float(row["click"]) for row in rows]
    log = interactions(np.full((n, k), np.nan), action, reward, contexts=users, actions=[arms] * n)
    log.probability[:] = [float(row["propensity_score"]) for row in rows]
    return log, np.full(n * k, 1 / k)


@pytest.mark.parametrize(
    ("campaign", "ips", "snips", "cressie_read", "ess"),
    [
        ("all", 0.0023596395, 0.0023337139, 0.0023574283, 340.4),
        ("men", 0.0030086263, 0.0031894232, 0.0033997623, 655.7),
    ],
)
def test_the_numbers_are_those_of_the_peers(campaign, ips, snips, cressie_read, ess):
    found = estimate_all(*sample_of(campaign), level=0.95, reward_range=(0.0, 1.0), seed=0)
    assert found["ips"].value == pytest.approx(ips, abs=1e-9)
    assert found["snips"].value == pytest.approx(snips, abs=1e-9)
    assert found["cressie_read"].value == pytest.approx(cressie_read, abs=1e-9)
    assert found["ips"].ess == pytest.approx(ess, abs=0.05)


def test_the_interval_holds_what_the_uniform_policy_earned():
    """The same shop logged by the uniform policy itself says what it earns: 38 clicks in 10,000 for all items, 46 for men."""
    for campaign in ("all", "men"):
        with (FILES.parent / "random" / campaign / f"{campaign}.csv").open(encoding="utf-8") as file:
            truth = np.mean([float(row["click"]) for row in csv.DictReader(file)])
        found = estimate_all(*sample_of(campaign), level=0.95, reward_range=(0.0, 1.0), seed=0)["cressie_read"]
        assert found.lower < truth < found.upper


@pytest.mark.parametrize("rule", ["strict", "no_harm"])
def test_without_overlap_the_gate_refuses(rule):
    log, uniform = sample_of("women")
    seen = support(log, uniform)
    assert (seen.ess, seen.mean_weight, seen.largest_weight) == pytest.approx((2.078, 3.134, 21739.13), rel=1e-3)
    report = evaluate(log, uniform, None, GateSettings(rule=rule), (0.0, 1.0), 0)
    assert report.verdict == "insufficient_support"
    assert not report.passed


def test_with_overlap_the_same_policy_is_not_refused_for_lack_of_it():
    log, uniform = sample_of("men")
    rules = {rule.name: rule.passed for rule in evaluate(log, uniform, None, GateSettings(rule="strict"), (0.0, 1.0), 0).rules}
    assert all(rules[name] for name in ("possible_actions", "logged_actions", "overlap", "mean_weight", "ess"))
