"""Rankings, slots and slates: drawn with the probability that is logged, replayed to the bit, refused with a place."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import prod
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ranking_worlds import FREE, LETTERS, Weighted, decider, request
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.replaying import replay_slots
from rewardloop.errors import InvalidInput
from rewardloop.events import Decision
from rewardloop.settings import Draws, ExperimentSettings
from rewardloop.slots import apart, shown

HOSTED = Hosted("articles.1", Weighted(), 0.1)
SLATE = [{"id": "title", "actions": ["a", "b"]}, {"id": "image", "actions": ["b", "c", "d"]}]

some_slots = st.lists(
    st.builds(
        lambda i, x, excluded: {"id": i, "features": {"x": x}, "excluded": excluded},
        st.sampled_from(["top", "side", "foot"]),
        st.floats(0, 2),
        st.sampled_from([[], ["a"]]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda slot: slot["id"],
)
asked = st.one_of(
    st.builds(lambda k, e: request(top_k=k, explore=e), st.integers(1, 4), st.booleans()),
    st.builds(lambda k: request(top_k=k, excluded=["b"]), st.integers(1, 3)),
    st.builds(lambda slots: request(slots=slots), some_slots),
    st.just(request(actions=None, slots=SLATE)),
)


def hosted(draws: Draws) -> Hosted:
    return HOSTED._replace(draws=draws)


@given(asked, st.sampled_from(["each", "once"]), st.integers(0, 99))
def test_every_slot_replays_to_the_bit_and_its_probability_is_the_one_sampled_with(each: Any, draws: Draws, n: int) -> None:
    decision, first = decider().decide(hosted(draws), request_with_id(each, n))
    assert replay_slots(decision, hosted(draws)) == decision.slots
    assert first == shown(decision)[0].action
    assert decision.joint_probability == prod(choice.probability for choice in decision.slots)
    for choice in decision.slots:
        assert choice.probability == choice.pmf[choice.action] > 0
        assert abs(sum(choice.pmf) - 1) < 1e-9
        assert not any(choice.pmf[gone] for gone in choice.excluded)
    if not decision.slots[0].actions:
        actions = [choice.action for choice in decision.slots]
        assert len(set(actions)) == len(actions), "without replacement"


def request_with_id(each: Any, n: int) -> Any:
    return msgspec.structs.replace(each, event_id=f"e{n}")


@pytest.mark.parametrize("draws", ["each", "once"])
def test_rankings_come_as_often_as_their_joint_probability_says(draws: Draws) -> None:
    """χ² over all 24 rankings; false alarms 1 in 1,000."""
    found: Counter[tuple[int, ...]] = Counter()
    joint: dict[tuple[int, ...], float] = {}
    one = decider()
    for n in range(10_000):
        decision, _ = one.decide(hosted(draws), request(top_k=4, event_id=str(n)))
        ranking = tuple(choice.action for choice in decision.slots)
        found[ranking] += 1
        joint[ranking] = decision.joint_probability
    everything = list(permutations(range(4)))
    assert set(joint) == set(everything)
    assert abs(sum(joint.values()) - 1) < 1e-9
    assert stats.chisquare([found[r] for r in everything], [10_000 * joint[r] for r in everything]).pvalue > 1e-3


def test_a_ranking_of_one_is_the_ordinary_decision() -> None:
    plain, _ = decider().decide(HOSTED, request(event_id="e"))
    ranked, _ = decider().decide(HOSTED, request(event_id="e", top_k=1))
    assert (ranked.action, ranked.pmf, ranked.probability) == (plain.action, plain.pmf, plain.probability)


def test_a_slot_has_its_features_and_its_id_in_the_context_of_its_part() -> None:
    decision, _ = decider().decide(HOSTED, request(slots=[{"id": "top", "features": {"x": 1}}, {"id": "foot"}]))
    top, foot = apart(decision)
    assert top.context == b'{"x": 1,"slot":{"id":"top","x": 1}}'
    assert foot.context == b'{"x": 1,"slot":{"id":"foot"}}'
    assert len(foot.pmf) == 3, "what the first slot took is not on offer below"
    assert (top.probability, foot.probability) == tuple(choice.probability for choice in decision.slots)


def test_slots_of_a_slate_take_from_their_own_actions() -> None:
    decision, _ = decider().decide(HOSTED, request(actions=None, slots=SLATE))
    title, image = shown(decision)
    assert title.action in "ab"
    assert image.action in "bcd"
    assert [part.actions for part in apart(decision)] == [b'["a", "b"]', b'["b", "c", "d"]']


def test_fixed_actions_are_named_by_the_slots_that_may_take_them() -> None:
    one = decider(ExperimentSettings(experiment="offers", actions=tuple(LETTERS)))
    for n in range(20):
        named = [{"id": "top", "actions": ["a", "b"]}, {"id": "foot", "actions": ["b", "c"]}]
        decision, _ = one.decide(HOSTED, request(actions=None, event_id=str(n), slots=named))
        top, foot = shown(decision)
        assert top.action in "ab"
        assert foot.action in "bc"
        assert top.action != foot.action


def test_while_the_baseline_decides_each_slot_shows_its_own() -> None:
    one = decider(ExperimentSettings(experiment="articles", mode="apprentice", baseline="c"))
    named = [{"id": "top"}, {"id": "side", "baseline": "d"}, {"id": "foot"}]
    decision, _ = one.decide(HOSTED, request(slots=named))
    assert [(each.action, each.probability) for each in shown(decision)] == [("c", 1.0), ("d", 1.0), ("a", 1.0)]
    assert replay_slots(decision, HOSTED) == decision.slots


def test_many_at_once_decide_like_one_at_a_time() -> None:
    requests = [request(event_id="1"), request(top_k=2, event_id="2"), request(actions=None, slots=SLATE, event_id="3")]
    singles = [decider().decide(HOSTED, each) for each in requests]
    assert decider().decide_many(HOSTED, requests) == singles


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "more than there are": ({"top_k": 5}, "$.top_k"),
    "more than are left": ({"top_k": 4, "excluded": ["a"]}, "$.top_k"),
    "both": ({"top_k": 1, "slots": [{"id": "x"}]}, "$.top_k"),
    "no candidates": ({"top_k": 1, "actions": []}, "$.actions"),
    "an action twice": ({"top_k": 1, "actions": ["a", "a"]}, "$.actions[1]"),
    "an action without an id": ({"top_k": 1, "actions": [{"features": {}}]}, "$.actions[0]"),
    "a slot twice": ({"slots": [{"id": "x"}, {"id": "x"}]}, "$.slots[1].id"),
    "more slots than actions": ({"slots": [{"id": str(i)} for i in range(5)]}, "$.slots[4]"),
    "all excluded": ({"slots": [{"id": "x", "excluded": LETTERS}]}, "$.slots[0].excluded"),
    "all excluded together": ({"excluded": ["a", "b"], "slots": [{"id": "x", "excluded": ["c", "d"]}]}, "$.slots[0]"),
    "perhaps nothing left": ({"slots": [{"id": "x"}, {"id": "y", "excluded": ["a", "b", "c"]}]}, "$.slots[1]"),
    "an unknown exclusion": ({"slots": [{"id": "x", "excluded": ["z"]}]}, "$.slots[0].excluded[0]"),
    "an unknown baseline": ({"slots": [{"id": "x", "baseline": "z"}]}, "$.slots[0].baseline"),
    "a feature that is wrong": ({"slots": [{"id": "x", "features": {"_f": 1}}]}, "$.slots[0].features._f"),
    "a feature called id": ({"slots": [{"id": "x", "features": {"id": 1}}]}, "$.slots[0].features.id"),
    "a namespace that is taken": ({"context": {"slot": {"x": 1}}, "slots": [{"id": "x"}]}, "$.context.slot.x"),
    "own actions for some": ({"actions": None, "slots": [SLATE[0], {"id": "y"}]}, "$.slots[1]"),
    "own actions beside the event's": ({"slots": SLATE}, "$.actions"),
    "exclusions beside own actions": ({"actions": None, "excluded": ["a"], "slots": SLATE}, "$.excluded"),
    "nothing on offer": ({"actions": None, "top_k": 2}, "$"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_be_filled_is_refused_with_its_place(case: str) -> None:
    fields, at = REFUSED[case]
    with pytest.raises(InvalidInput) as refused:
        decider().decide(HOSTED, request(**fields))
    assert refused.value.at == at
    with pytest.raises(InvalidInput) as refused:
        decider().decide_many(HOSTED, [request(), request(**fields)])
    assert refused.value.at == at.replace("$", "$.requests[1]", 1)


def test_a_log_from_before_slots_reads_as_it_did() -> None:
    assert apart(Decision("e", FREE.experiment, "articles.1", 0, b"{}", b'["a"]', (1.0,), 0, 1.0, 1, 0.5)) == []
