"""Up to 10,000 candidates a request: decided, logged whole, replayed; more are refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from rewardloop.actions import parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.interactions import Interactions
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings import ExperimentSettings, LogSettings, PolicySettings
from rewardloop.settings.schema import Exploration

FREE = ExperimentSettings(experiment="films", log=LogSettings(segment_mb=1), policy=PolicySettings(exploration="egreedy"))


def films(n: int, shift: int = 0) -> list[dict[str, object]]:
    return [{"id": f"f{i + shift}", "features": {"genre": f"g{i % 7}", "length": float(i % 11)}} for i in range(n)]


@pytest.mark.parametrize("exploration", ["egreedy", "lints"])
def test_ten_thousand_candidates_are_decided_logged_and_replayed(tmp_path: Path, exploration: Exploration) -> None:
    settings = msgspec.structs.replace(FREE, policy=PolicySettings(exploration=exploration))
    with Experiment.open(settings, tmp_path) as experiment:
        for reward in (1.0, 0.0):
            experiment.reward(experiment.decide({"user": "u1"}, films(10_000)).event_id, reward)
        experiment.join()
        experiment.train()
        experiment.deploy("films.1")
        decision = experiment.decide({"user": "u1"}, films(10_000))
        assert len(decision.pmf) == 10_000
        assert sum(decision.pmf) == pytest.approx(1.0, abs=1e-9)
        assert min(decision.pmf) >= 0.02 / 10_000 * (1 - 1e-9)
        assert experiment.audit(decision.event_id).same


def test_what_is_too_much_is_refused_and_not_logged(tmp_path: Path) -> None:
    with Experiment.open(FREE, tmp_path) as experiment:
        with pytest.raises(InvalidInput, match="1 to 10000 actions, got 10001"):
            experiment.decide({}, films(10_001))
        with pytest.raises(InvalidInput, match=r"at most 20 positions where 5000 actions .* at `\$\.top_k`"):
            experiment.decide({}, films(5_000), top_k=21)
        with pytest.raises(InvalidInput, match="over all slots"):
            experiment.decide({}, films(5_000), slots=[{"id": f"s{i}"} for i in range(21)])
        with pytest.raises(InvalidInput, match="over all requests"):
            experiment.decide_many([{}] * 1_000, films(1_001))
        assert experiment.join().n == 0


def test_large_and_small_sets_by_turns_get_the_same_answers() -> None:
    """A large set drives the small ones out of what is kept ready, and comes and goes itself."""
    small, large = (parse_actions(msgspec.json.encode(films(n))) for n in (5, 2_000))
    policy = VowpalWabbitPolicy.new(FREE, seed=0)
    ones = np.array([1.0])
    policy.learn(
        Interactions(
            ["e"], [{"x": 1.0}], [small], np.array([0]), ones, ones, np.full(5, 0.2), np.array([0, 5]), ones, np.array([0])
        )
    )
    first = [list(policy.pmf({"x": 1.0}, offered)) for offered in (small, large)]
    for _ in range(3):
        assert [list(policy.pmf({"x": 1.0}, offered)) for offered in (small, large)] == first
