"""Decisions and rewards as records: what is logged is what was sampled, again and again."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted, first_model
from rewardloop.deciding.replaying import replay
from rewardloop.deciding.rewarding import Rewarder, RewardRequest
from rewardloop.errors import InvalidInput, UnknownEvent, UnknownExperiment
from rewardloop.features import Features
from rewardloop.ids import EventIds
from rewardloop.policies.contract import Policy
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.settings import ExperimentSettings, RewardSettings

ARMS = ExperimentSettings(experiment="offers", actions=("red", "green", "blue"))
FREE = ExperimentSettings(experiment="articles")


class Leaning(UniformPolicy):
    """Prefers the first action, the more so the larger `x`."""

    def pmf(self, context: Features, actions: ActionSet) -> list[float]:
        first = 0.2 + 0.7 * min(abs(float(context.get("x", 0.0))), 1.0)
        return [1.0] if len(actions) == 1 else [first, *[(1.0 - first) / (len(actions) - 1)] * (len(actions) - 1)]

    def pmf_many(self, contexts: Any, actions: Any) -> Any:
        return np.concatenate([self.pmf(context, offered) for context, offered in zip(contexts, actions, strict=True)])


def decider(settings: ExperimentSettings = ARMS) -> Decider:
    clock = ManualClock()
    return Decider(settings, 3, EventIds(clock, key=7, start=0), clock)


def request(context: object = {"x": 0.5}, **fields: Any) -> DecideRequest:  # never changed
    offered = fields.pop("actions", None)
    actions = msgspec.UNSET if offered is None else msgspec.Raw(json.dumps(offered).encode())
    return DecideRequest(context=msgspec.Raw(json.dumps(context).encode()), actions=actions, **fields)


def hosted(policy: Policy | None = None, floor: float = 0.1) -> Hosted:
    return Hosted("offers.1", policy or Leaning(), floor)


requests = st.builds(
    request,
    context=st.dictionaries(st.sampled_from(["x", "y", "größe"]), st.floats(-2, 2) | st.booleans() | st.text(max_size=3)),
    actions=st.none() | st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1, unique=True),
    event_id=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
    explore=st.booleans(),
    deferred=st.booleans(),
).filter(lambda r: b'"x": "' not in bytes(r.context))


@given(requests)
def test_a_decision_replays_to_what_was_logged(asked: DecideRequest) -> None:
    decision, action = decider().decide(hosted(), asked)
    again = replay(decision, Leaning(), 0.1)
    assert again == (decision.pmf, decision.action, decision.probability)
    assert decision.probability == decision.pmf[decision.action] > 0
    assert abs(sum(decision.pmf) - 1) < 1e-9
    assert action == ARMS.action_ids[decision.action]  # type: ignore[index]
    assert all(decision.pmf[excluded] == 0 for excluded in decision.excluded)


@given(st.lists(requests, min_size=1, max_size=8))
def test_many_at_once_decide_like_one_at_a_time(asked: list[DecideRequest]) -> None:
    single, batch = decider(), decider()
    one_by_one = [single.decide(hosted(), each) for each in asked]
    at_once = batch.decide_many(hosted(), asked)
    for (one, action), (other, other_action) in zip(one_by_one, at_once, strict=True):
        assert (one, action) == (other, other_action)


wrong = st.sampled_from([request([1]), request({"_x": 1.0}), request(actions=["grey"]), request(excluded=["red", "green", "blue"])])


@given(st.lists(requests | wrong, max_size=20))
def test_what_has_nothing_to_do_with_each_other_is_decided_together_as_alone(asked: list[DecideRequest]) -> None:
    single, together = decider(), decider()
    expected = [answered(single, each) for each in asked]
    found = together.decide_each(hosted(), [(each, None) for each in asked])
    assert [str(one) if isinstance(one, InvalidInput) else one for one in found] == expected


def test_more_than_go_together_are_decided_all_the_same() -> None:
    """Each with the ten thousand actions that a request may offer, and all but the last with some of its own."""
    most = json.dumps([f"a{i}" for i in range(10_000)]).encode()
    usual = (parse_actions(most), ())
    own = request(actions=[{"id": "red", "features": {"price": 1.0}}], event_id="own")
    asked = [*[(request(event_id=str(i)), usual) for i in range(100)], (own, None)]
    made = Decider(FREE, 3, EventIds(ManualClock(), key=7, start=0), ManualClock()).decide_each(hosted(), asked)
    assert [one[0].event_id for one in made if not isinstance(one, Exception)] == [*map(str, range(100)), "own"]


def test_a_policy_whose_batches_may_differ_in_the_last_bit_is_asked_one_by_one() -> None:
    class Alone(Leaning):
        gains_by_batches = False  # type: ignore[misc]

        def pmf_many(self, contexts: Any, actions: Any) -> Any:
            raise AssertionError

    asked = [(request(), None)] * 20
    found = decider().decide_each(hosted(Alone()), asked)
    assert found == decider().decide_each(hosted(), asked)
    assert not any(isinstance(one, Exception) for one in found)


def answered(by: Decider, asked: DecideRequest) -> object:
    try:
        return by.decide(hosted(), asked)
    except InvalidInput as error:
        return str(error)


def test_the_same_event_asked_twice_gets_the_same_answer() -> None:
    first, second = (decider().decide(hosted(), request(event_id="order-17")) for _ in range(2))
    assert first == second


def test_actions_are_sampled_as_often_as_logged() -> None:
    """Fixed event ids; the chance of a false alarm is below 1e-6 (five standard deviations)."""
    one = decider()
    made = [one.decide(hosted(), request(event_id=str(i)))[0] for i in range(20_000)]
    p = made[0].pmf[0]
    assert abs(np.mean([decision.action == 0 for decision in made]) - p) < 5 * (p * (1 - p) / len(made)) ** 0.5


def test_an_event_id_made_here_names_its_experiment() -> None:
    one = decider()
    made, _ = one.decide(hosted(), request())
    assert EventIds(ManualClock(), key=7, start=5).tag(made.event_id) == 3


def test_named_fixed_actions_are_the_eligible_ones() -> None:
    decision, action = decider().decide(hosted(), request(actions=["blue"]))
    assert (action, decision.action, decision.pmf, decision.excluded) == ("blue", 2, (0.0, 0.0, 1.0), (0, 1))
    assert decision.actions == b'["red","green","blue"]'


def test_without_exploration_the_best_is_certain() -> None:
    decision, _ = decider().decide(hosted(), request({"x": 1}, explore=False))
    assert (decision.pmf, decision.probability, decision.explore) == ((1.0, 0.0, 0.0), 1.0, False)


def test_the_floor_is_the_models() -> None:
    decision, _ = decider().decide(hosted(floor=0.3), request({"x": 1}))
    assert min(decision.pmf) >= 0.1


def test_before_any_training_all_actions_are_alike() -> None:
    decision, _ = decider().decide(first_model(ARMS), request())
    assert (decision.model_id, decision.pmf) == ("offers.0", pytest.approx((1 / 3,) * 3))


def test_a_batch_with_one_bad_request_names_it() -> None:
    with pytest.raises(InvalidInput, match=r"\$\.requests\[1\]\.excluded\[0\]"):
        decider().decide_many(hosted(), [request(), request(excluded=["grey"])])


def rewarder() -> tuple[Rewarder, EventIds]:
    ids = EventIds(ManualClock(), key=7, start=0)
    bounded = ExperimentSettings(experiment="bounded", reward=RewardSettings(range=(-1.0, 1.0)))
    return Rewarder(ids, ManualClock(), [(3, ARMS), (4, bounded)]), ids


def test_a_reward_goes_to_the_experiment_of_its_id() -> None:
    to, ids = rewarder()
    made = to.reward(RewardRequest(event_id=ids.new(3), reward=2.0, reward_id="r", final=True))
    assert (made.experiment, made.reward, made.reward_id, made.final) == ("offers", 2.0, "r", True)
    assert to.reward(RewardRequest(event_id="own", reward=0.0, experiment="bounded")).experiment == "bounded"


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"event_id": "own", "reward": 1.0}, UnknownEvent, "Event id `own` was not made here; name its experiment"),
        ({"event_id": "own", "reward": 1.0, "experiment": "ofers"}, UnknownExperiment, "did you mean `offers`"),
        ({"event_id": "own", "reward": 1.5, "experiment": "bounded"}, InvalidInput, r"between -1 and 1 .* at `\$\.reward`"),
        ({"event_id": "own", "reward": float("nan"), "experiment": "offers"}, InvalidInput, "finite"),
        ({"event_id": "own", "reward": float("inf"), "experiment": "offers"}, InvalidInput, "finite"),
    ],
)
def test_a_reward_that_is_refused(fields: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rewarder()[0].reward(RewardRequest(**fields))


def test_a_reward_for_another_experiment_than_the_ids_is_refused() -> None:
    to, ids = rewarder()
    with pytest.raises(InvalidInput, match="belongs to experiment `offers`, not to `bounded`"):
        to.reward(RewardRequest(event_id=ids.new(3), reward=1.0, experiment="bounded"))


def test_an_activation_is_found_like_a_reward() -> None:
    to, ids = rewarder()
    assert to.activation(ids.new(4), None).experiment == "bounded"
    assert to.activation("own", "offers").experiment == "offers"
    with pytest.raises(InvalidInput, match="256"):
        to.activation("x" * 257, "offers")
