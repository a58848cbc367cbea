"""A challenger beside the champion: its share, whose probability is logged, one variant a key, and what its faults cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import chisquare

from rewardloop.actions import ActionSet
from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest, checked_sticky
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.replaying import replay
from rewardloop.deciding.trial_counts import TrialCounts
from rewardloop.deciding.trials import Scorer, Trial, variant_draw
from rewardloop.errors import InvalidInput
from rewardloop.events import Decision
from rewardloop.features import Features
from rewardloop.ids import EventIds, uniform
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.registry import Challenger
from rewardloop.settings import ExperimentSettings

ARMS = ExperimentSettings(experiment="offers", actions=("red", "green", "blue"))


class Leaning(UniformPolicy):
    """Prefers one action."""

    def __init__(self, favourite: int) -> None:
        self.favourite = favourite

    def pmf(self, context: Features, actions: ActionSet) -> list[float]:
        weights = [8.0 if name == ("red", "green", "blue")[self.favourite] else 1.0 for name in actions.ids]
        return [weight / sum(weights) for weight in weights]


class Failing(UniformPolicy):
    """Fails for some contexts."""

    def pmf(self, context: Features, actions: ActionSet) -> list[float]:
        if context.get("odd"):
            raise ZeroDivisionError("division by zero")
        return [float("nan"), 1.0, 1.0] if context.get("nan") else [0.1, 0.8, 0.1]


CHAMPION = Hosted("offers.1", Leaning(0), 0.06)


def trial(policy: Any = None, **setup: Any) -> Trial:
    challenger = Challenger(**{"model_id": "offers.2", "trial": 1, **setup})
    return Trial("offers", challenger, Scorer("offers.2", policy or Leaning(2), 0.03), TrialCounts(1), ManualClock())


def decider(start: int = 0) -> Decider:
    clock = ManualClock()
    return Decider(ARMS, 3, EventIds(clock, key=7, start=start), clock)


def request(context: dict[str, object], **fields: Any) -> DecideRequest:
    return DecideRequest(context=msgspec.Raw(msgspec.json.encode(context)), **fields)


def played(n: int, running: Trial, **context: object) -> list[Decision]:
    hosted, asking = CHAMPION._replace(trial=running), decider()
    return [asking.decide(hosted, request({"i": i, **context}))[0] for i in range(n)]


def test_shares_and_logged_probabilities_are_right() -> None:
    decisions = played(10_000, trial(share=0.3))
    shares = Counter(decision.variant for decision in decisions)
    assert chisquare([shares["challenger"], shares["champion"]], [3_000, 7_000]).pvalue > 0.001
    for variant, model_id in (("champion", "offers.1"), ("challenger", "offers.2")):
        chosen = [decision for decision in decisions if decision.variant == variant]
        assert {decision.model_id for decision in chosen} == {model_id}
        (pmf,) = {decision.pmf for decision in chosen}
        counts = np.bincount([decision.action for decision in chosen], minlength=3)
        assert chisquare(counts, np.array(pmf) * len(chosen)).pvalue > 0.001
        assert all(decision.probability == pmf[decision.action] for decision in chosen)


def test_the_variant_says_nothing_about_the_draws_of_the_event() -> None:
    decisions = played(10_000, trial(share=0.5))
    for number in (lambda d: uniform(d.seed), lambda d: d.sample_prob):
        table = np.zeros((2, 10), int)
        for decision in decisions:
            table[int(decision.variant == "challenger"), int(number(decision) * 10)] += 1
        expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
        assert chisquare(table.ravel(), expected.ravel(), ddof=10).pvalue > 0.001


def test_each_decision_replays_by_the_model_that_made_it() -> None:
    models = {"offers.1": (CHAMPION.policy, CHAMPION.floor), "offers.2": (Leaning(2), 0.03)}
    for decision in played(200, trial(share=0.5)):
        assert replay(decision, *models[decision.model_id]) == (decision.pmf, decision.action, decision.probability)


def test_many_at_once_are_decided_as_one_by_one() -> None:
    hosted = CHAMPION._replace(trial=trial(share=0.5, sticky="user"))
    asked = [request({"user": i % 7}, event_id=f"e{i}", excluded=["red"] if i % 3 else []) for i in range(50)]
    assert decider().decide_many(hosted, asked) == [decider().decide(hosted, each) for each in asked]


def test_a_key_meets_one_variant_on_every_worker_and_keeps_it_as_the_share_grows() -> None:
    met: dict[object, set[str]] = {}
    for worker in range(3):
        hosted, asking = CHAMPION._replace(trial=trial(share=0.25, sticky="user.id")), decider(start=worker * 1_000)
        for user in range(400):
            decision, _ = asking.decide(hosted, request({"user": {"id": user}}))
            met.setdefault(user, set()).add(decision.variant)
    assert all(len(variants) == 1 for variants in met.values())
    challenged = {user for user, variants in met.items() if variants == {"challenger"}}
    assert chisquare([len(challenged), 400 - len(challenged)], [100, 300]).pvalue > 0.001
    hosted = CHAMPION._replace(trial=trial(share=0.6, sticky="user.id"))
    later = {user for user in met if decider().decide(hosted, request({"user.id": user}))[0].variant == "challenger"}
    assert challenged < later


def test_what_the_request_says_is_followed_before_any_feature() -> None:
    hosted, met = CHAMPION._replace(trial=trial(share=0.25, sticky="user")), dict[str, set[str]]()
    for worker in range(3):
        asking = decider(start=worker * 1_000)
        for household in range(300):
            asked = request({"user": worker}, sticky=f"household-{household}")
            decision = asking.decide_many(hosted, [asked])[0][0] if worker else asking.decide(hosted, asked)[0]
            assert decision.sticky == f"household-{household}"
            met.setdefault(decision.sticky, set()).add(decision.variant)
    assert all(len(variants) == 1 for variants in met.values())
    challenged = sum(variants == {"challenger"} for variants in met.values())
    assert chisquare([challenged, 300 - challenged], [75, 225]).pvalue > 0.001


def test_a_ranking_follows_the_request_too() -> None:
    hosted, asking = CHAMPION._replace(trial=trial(share=0.5)), decider()
    variants = {asking.decide(hosted, request({}, sticky="user-17", top_k=2))[0].variant for _ in range(40)}
    assert len(variants) == 1
    assert asking.decide(hosted, request({}, sticky="user-17", top_k=2))[0].sticky == "user-17"


@pytest.mark.parametrize("sticky", ["", "x" * 257, 17, ["user"], None, "\ud800"])
def test_a_sticky_that_is_no_short_text_is_refused(sticky: object) -> None:
    assert checked_sticky(None) is None
    if sticky is None:
        return
    with pytest.raises(InvalidInput, match=r"\$\.sticky"):
        checked_sticky(sticky)  # type: ignore[arg-type]
    body = b'{"context": {}, "sticky": %b}' % json.dumps(sticky).encode()
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body, type=DecideRequest)


def test_another_process_draws_the_same() -> None:
    code = "from rewardloop.deciding.trials import variant_draw; print(variant_draw('offers', 'offers.2', 'user=é'))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(found) == variant_draw("offers", "offers.2", "user=é")


def test_other_users_try_the_next_challenger() -> None:
    first, second = (
        {key for key in map(str, range(2_000)) if variant_draw("offers", m, key) < 0.5} for m in ("offers.2", "offers.3")
    )
    assert chisquare([len(first & second), len(first - second)]).pvalue > 0.001


def test_a_shadow_scores_its_share_and_serves_nothing() -> None:
    running = trial(scored=0.4)
    decisions = played(2_000, running)
    assert {(decision.variant, decision.model_id) for decision in decisions} == {("champion", "offers.1")}
    counts = running.counts
    assert chisquare([counts.distance.n, 2_000 - counts.distance.n], [800, 1_200]).pvalue > 0.001
    assert (counts.champion.n, counts.challenger.n, counts.errors) == (2_000, counts.distance.n, 0)
    assert counts.agreed == 0
    assert counts.distance.mean == pytest.approx(0.7 * 0.97, abs=0.03)


@pytest.mark.parametrize("fault", ["odd", "nan"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_challenger_that_fails_never_fails_a_request(fault: str, share: float) -> None:
    running = trial(Failing(), share=share, scored=0.5)
    decisions = played(400, running, **{fault: True})
    assert running.counts.errors == running.counts.challenger.n > 150
    assert {decision.model_id for decision in decisions} == {"offers.1"}
    assert Counter(d.variant for d in decisions)["fallback"] == (running.counts.errors if share else 0)


def test_a_clients_mistake_is_not_the_challengers_fault() -> None:
    running = trial(share=0.99)
    with pytest.raises(InvalidInput):
        decider().decide(CHAMPION._replace(trial=running), request({}, excluded=["red", "green", "blue"]))
    assert running.counts.errors == 0


def test_rankings_are_tried_as_well() -> None:
    asking, hosted = decider(), CHAMPION._replace(trial=trial(share=0.5))
    models = {"offers.1": (CHAMPION.policy, CHAMPION.floor), "offers.2": (Leaning(2), 0.03)}
    decisions = [asking.decide(hosted, request({}, top_k=2))[0] for _ in range(200)]
    assert {(d.variant, d.model_id) for d in decisions} == {("champion", "offers.1"), ("challenger", "offers.2")}
    for decision in decisions:
        assert replay(decision, *models[decision.model_id]).pmf == decision.pmf
