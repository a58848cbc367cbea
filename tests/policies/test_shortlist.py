"""A shortlist before Vowpal Wabbit: the laws of a policy, who is on it, what is learned, and that all others can still be drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy.stats import chisquare

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted
from rewardloop.errors import InvalidSettings
from rewardloop.ids import EventIds
from rewardloop.interactions import Interactions
from rewardloop.loop.experiment import Experiment
from rewardloop.policies import Policy, load_policy, new_policy
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.policies.vw.shortlist import ShortlistPolicy, spread_rows
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings
from rewardloop.settings.schema import Exploration
from rewardloop.testing.policy import PolicyContract

FILMS = parse_actions(
    b'[{"id": "heat", "features": {"genre": "crime", "length": 170}}, "alien", {"id": "ronin"},'
    b' {"id": "up", "features": {"length": 96}}]'
)


def asking(exploration: Exploration = "regcbopt", size: int = 2) -> ExperimentSettings:
    policy = PolicySettings(exploration=exploration, shortlist=size, learner=LearnerSettings(bits=14))
    return ExperimentSettings(experiment="films", policy=policy)


def catalogue(rng: np.random.Generator, n: int) -> ActionSet:
    items = [{"id": f"i{rng.integers(1 << 30)}-{i}", "features": {"x": float(rng.normal())}} for i in range(n)]
    return parse_actions(msgspec.json.encode(items))


def watched(n: int, k: int, seed: int = 0) -> Interactions:
    """n uniform decisions among k new items each; the larger an item's x, the likelier its reward."""
    rng = np.random.default_rng(seed)
    sets, chosen = [catalogue(rng, k) for _ in range(n)], rng.integers(0, k, n)
    x = [float(s.features[c]["x"]) for s, c in zip(sets, chosen, strict=True) if s.features is not None]
    return Interactions(
        event_ids=[str(i) for i in range(n)],
        contexts=[{"y": float(rng.normal())} for _ in range(n)],
        actions=sets,
        action=chosen,
        probability=np.full(n, 1 / k),
        reward=(rng.random(n) < 1 / (1 + np.exp(-2 * np.array(x)))).astype(float),
        pmf=np.full(n * k, 1 / k),
        offsets=np.arange(0, n * k + 1, k),
        sample_prob=rng.random(n),
        closed_at=np.arange(n),
    )


class TestRegcbopt(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return ShortlistPolicy.new(asking(), seed)

    def make_actions(self) -> ActionSet:
        return FILMS


class TestBagWithRoomForAll(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return ShortlistPolicy.new(asking("bag", size=10), seed)

    def make_actions(self) -> ActionSet:
        return FILMS


def test_only_what_promises_most_is_explored() -> None:
    policy, offered = new_policy(asking("softmax", 10), 0), catalogue(np.random.default_rng(9), 200)
    assert isinstance(policy, ShortlistPolicy)
    policy.learn(watched(400, 20))
    pmf = np.array(policy.pmf({"y": 0.0}, offered))
    assert offered.features is not None
    by_x = np.argsort([-float(own["x"]) for own in offered.features])
    assert np.flatnonzero(pmf).tolist() == policy.shortlist({"y": 0.0}, offered)
    assert np.count_nonzero(pmf) == 10
    assert set(np.flatnonzero(pmf)) == set(by_x[:10])
    assert pmf.sum() == pytest.approx(1)


def test_where_all_have_room_it_is_what_vowpal_wabbit_says() -> None:
    data, offered = watched(200, 8), catalogue(np.random.default_rng(9), 10)
    short, plain = ShortlistPolicy.new(asking(size=10), 3), VowpalWabbitPolicy.new(asking(size=10), 3)
    for policy in (short, plain):
        policy.learn(data)
    assert list(short.pmf({"y": 1.0}, offered)) == list(plain.pmf({"y": 1.0}, offered))


def test_it_learns_from_a_part_of_a_large_set_the_chosen_one_in_it() -> None:
    """So it finds what pays where every event offered more than it has room for."""
    policy, offered = ShortlistPolicy.new(asking("egreedy", 3), 0), catalogue(np.random.default_rng(9), 3)
    policy.learn(watched(600, 30))
    policy.relearn(watched(600, 30))
    assert offered.features is not None
    x = [float(own["x"]) for own in offered.features]
    assert int(np.argmax(policy.pmf({"y": 0.0}, offered))) == int(np.argmax(x))


@pytest.mark.parametrize(("n", "size"), [(10, 3), (7, 6), (1_001, 1_000), (10_000, 200)])
def test_a_part_of_a_set_is_as_large_as_asked_and_has_the_chosen_row(n: int, size: int) -> None:
    for chosen in (0, 1, n // 2, n - 1):
        rows = spread_rows(n, size, chosen)
        assert chosen in rows
        assert len(set(rows)) == size
        assert rows == sorted(rows)


def test_a_stream_teaches_what_its_batches_teach() -> None:
    halves = watched(100, 5, seed=1), watched(100, 5, seed=2)
    one, other = (ShortlistPolicy.new(asking(size=3), 0) for _ in range(2))
    for half in halves:
        one.learn(half)
    other.learn_bulk(iter(halves))
    assert list(one.pmf({"y": 0.3}, FILMS)) == list(other.pmf({"y": 0.3}, FILMS))


def test_what_is_off_the_list_is_drawn_as_often_as_the_log_says() -> None:
    """χ² over 10,000 decisions; false alarms 1 in 1,000."""
    settings, clock = asking("softmax", 4), ManualClock()
    settings = msgspec.structs.replace(settings, policy=msgspec.structs.replace(settings.policy, floor=0.2, lambda_=3.0))
    policy, offered = new_policy(settings, 0), catalogue(np.random.default_rng(9), 12)
    policy.learn(watched(300, 12))
    decider, hosted = Decider(settings, 0, EventIds(clock, key=1, start=1), clock), Hosted("films.1", policy, 0.2, draws="each")
    found: Counter[int] = Counter()
    for n in range(10_000):
        request = DecideRequest(context=msgspec.Raw(b'{"y": 0.1}'), actions=msgspec.Raw(offered.raw), event_id=str(n))
        decision, _ = decider.decide(hosted, request)
        assert decision.probability == decision.pmf[decision.action]
        found[decision.action] += 1
    assert sum(p == pytest.approx(0.2 / 12) for p in decision.pmf) == 8
    assert chisquare([found[i] for i in range(12)], [10_000 * p for p in decision.pmf]).pvalue > 1e-3


def test_it_is_trained_hosted_and_replayed_by_the_loop(tmp_path: Path) -> None:
    rng, clock = np.random.default_rng(0), ManualClock()
    with Experiment.open(asking(size=5), tmp_path, clock=clock) as films:
        for n in range(120):
            decision = films.decide({"y": 0.5}, msgspec.json.decode(catalogue(rng, 12).raw), event_id=f"e{n}")
            films.reward(decision.event_id, float(decision.action % 2))
        clock.advance(1_000_000)
        films.join()
        films.train()
        films.deploy("films.1")
        assert isinstance(films.modelling.load("films.1"), ShortlistPolicy)
        decision = films.decide({"y": 0.5}, msgspec.json.decode(catalogue(rng, 12).raw))
        assert decision.model_id == "films.1"
        assert min(decision.pmf) == pytest.approx(0.02 / 12)
        assert films.audit(decision.event_id).same


def test_a_shortlist_without_a_length_or_of_fixed_arms_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="Expected the length of a shortlist"):
        ShortlistPolicy.new(ExperimentSettings(experiment="films", policy=PolicySettings(exploration="regcbopt")), 0)
    with pytest.raises(InvalidSettings, match="for actions of requests"):
        ShortlistPolicy.new(msgspec.structs.replace(asking(), actions=("a", "b", "c")), 0)


def test_a_model_that_names_files_elsewhere_writes_none_there(tmp_path: Path) -> None:
    policy = ShortlistPolicy.new(asking(), 0)
    policy.save(tmp_path)
    header = msgspec.json.decode((tmp_path / "policy.json").read_bytes())
    header["files"]["sorting./../../evil"] = "0"
    (tmp_path / "policy.json").write_bytes(msgspec.json.encode(header))
    assert list(load_policy(tmp_path).pmf({}, FILMS)) == list(policy.pmf({}, FILMS))
