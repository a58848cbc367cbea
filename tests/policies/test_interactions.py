"""Interactions by name: in both engines they multiply what they name and nothing else; what is ambiguous is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rewardloop.actions import ActionSet, fixed_actions, parse_actions
from rewardloop.errors import InvalidInput, InvalidSettings
from rewardloop.features import Features, parse_context
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.design.columns import Columns
from rewardloop.policies.namespaces import Namespaces
from rewardloop.policies.native.ridge import RidgePolicy
from rewardloop.policies.vw import policy as vw
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.policies.vw.statistics import AUTO_CROSSED
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings, parse_settings
from vw_worlds import interactions

NAMED = (("user", "item"), ("user", "item", "time"))
ITEMS = ["jazz", "rock", "folk", "soul"]


def learner(named: object = NAMED, exploration: str = "egreedy", actions: object = None) -> ExperimentSettings:
    policy = PolicySettings(exploration=exploration, learner=LearnerSettings(interactions=named))  # type: ignore[arg-type]
    return ExperimentSettings(experiment="songs", actions=actions, policy=policy)  # type: ignore[arg-type]


def songs(genres: list[str], prefix: str = "song") -> ActionSet:
    """Songs are told apart by their ids; what makes them liked is their genre."""
    return parse_actions(
        json.dumps([{"id": f"{prefix}{i}", "features": {"item": {"genre": g}, "length": i}} for i, g in enumerate(genres)]).encode()
    )


def listener(genre: str, day: bool) -> Features:
    return parse_context(json.dumps({"user": {"likes": genre}, "time": {"day": "day" if day else "night"}, "noise": 1.5}).encode())


def logged(n: int, seed: int = 0) -> object:
    """A song pays where its genre is the one that the listener likes; the offered songs are others every time."""
    rng = np.random.default_rng(seed)
    contexts, sets, chosen, rewards = [], [], [], []
    for i in range(n):
        genres = [ITEMS[g] for g in rng.permutation(4)]
        liked, action = ITEMS[rng.integers(4)], int(rng.integers(4))
        contexts.append(listener(liked, bool(rng.integers(2))))
        sets.append(songs(genres, prefix=f"{i}-"))
        chosen.append(action)
        rewards.append(float(genres[action] == liked))
    return interactions(contexts, sets, np.array(chosen), np.array(rewards), np.full(n, 0.25))


def hits(policy: VowpalWabbitPolicy) -> int:
    found = [policy.pmf(listener(genre, True), songs(ITEMS, prefix="unseen")) for genre in ITEMS]
    return sum(int(np.argmax(pmf)) == i for i, pmf in enumerate(found))


def test_what_was_learned_of_features_holds_for_actions_never_offered_before() -> None:
    policy = VowpalWabbitPolicy.new(learner(), seed=0)
    policy.learn(logged(1_200))  # type: ignore[arg-type]
    assert hits(policy) == 4
    without = VowpalWabbitPolicy.new(learner((("time", "item"),)), seed=0)
    without.learn(logged(1_200))  # type: ignore[arg-type]
    assert hits(without) < 4, "the taste is not in any product that was asked for"


def test_both_engines_the_driver_and_a_copy_from_disk_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, driven = VowpalWabbitPolicy.new(learner(), seed=0), VowpalWabbitPolicy.new(learner(), seed=0)
    slow = VowpalWabbitPolicy.new(learner(), seed=0)
    batch, asked = logged(300), logged(50, seed=9)
    with monkeypatch.context() as patch:
        patch.setattr(vw, "NATIVE", False)
        slow.learn(batch)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(vw, "BULK_EVENTS", 10)
        driven.learn_bulk([batch])  # type: ignore[list-item]
    fast.learn(batch)  # type: ignore[arg-type]
    fast.save(tmp_path)
    expected = fast.pmf_many(asked.contexts, asked.actions)  # type: ignore[attr-defined]
    for other in (slow, driven, VowpalWabbitPolicy.load(tmp_path)):
        assert other.pmf_many(asked.contexts, asked.actions) == pytest.approx(expected, abs=1e-6)  # type: ignore[attr-defined]
    one = [fast.pmf(c, a) for c, a in zip(asked.contexts, asked.actions, strict=True)]  # type: ignore[attr-defined]
    assert np.concatenate(one) == pytest.approx(expected, abs=1e-9)


def test_all_of_the_context_and_of_the_action_are_names_too() -> None:
    assert Namespaces((("context", "action"),)).arguments() == ["--interactions", "sa"]
    policy = VowpalWabbitPolicy.new(learner((("context", "action"),)), seed=0)
    plain = VowpalWabbitPolicy.new(learner("none"), seed=0)
    for each in (policy, plain):
        each.learn(logged(200))  # type: ignore[arg-type]
    assert list(policy.pmf(listener("jazz", True), songs(ITEMS))) == pytest.approx(
        list(plain.pmf(listener("jazz", True), songs(ITEMS))), abs=1e-5
    )


@pytest.mark.parametrize("parts", [{}, {"top_k": 2}])
def test_a_namespace_in_the_context_and_in_an_action_is_refused_by_its_place_and_not_logged(
    parts: dict[str, int], tmp_path: Path
) -> None:
    offered = [{"id": "a"}, {"id": "b", "features": {"item": {"genre": "jazz"}}}]
    with Experiment.open(learner(), tmp_path) as experiment:
        with pytest.raises(InvalidInput, match=r"Expected namespace `item` .* at `\$\.actions\[1\]\.features\.item`"):
            experiment.decide({"item": {"genre": "jazz"}}, offered, **parts)
        with pytest.raises(InvalidInput, match=r"at `\$\.requests\[1\]\.actions\[1\]\.features\.item`"):
            experiment.decide_many([{}, {"item": 3.0}], offered)
        assert experiment.join().n == 0
        experiment.decide({"length": 3.0}, offered, **parts)


@pytest.mark.parametrize("raw", [b'{"user": {"age": 3}, "user.age": 4}', b'{"scores[1]": 4, "scores": [1, 2]}'])
def test_two_spellings_of_one_feature_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"Expected one feature .*, got two.* at `\$\.context"):
        parse_context(raw)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("[[user]]", r"at `\$\.policy\.learner\.interactions\[0\]`"),
        ("[[user, item, time, day]]", r"at `\$\.policy\.learner\.interactions\[0\]`"),
        ("[]", "lists of 2 to 3 texts"),
        ("quadratc", "did you mean `quadratic`"),
        ("[" + ", ".join(f"[a{i}, b{i}]" for i in range(7)) + "]", "at most 12"),
    ],
)
def test_what_are_no_interactions_is_refused(named: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        parse_settings(f"policy:\n  learner:\n    interactions: {named}\n", "songs.yaml")


def wide(rng: np.random.Generator, n: int) -> list[Features]:
    noise = rng.normal(size=(n, 30))
    signs = rng.choice([-1.0, 1.0], size=(n, 3))
    return [
        {"user.a": a, "time.b": b, "place.c": c, **{f"noise.{i}": float(x) for i, x in enumerate(row)}}
        for (a, b, c), row in zip(signs.tolist(), noise, strict=True)
    ]


@pytest.mark.parametrize("term", [("user", "time"), ("user", "time", "place"), ("place", "action", "user")])
def test_the_native_engine_learns_the_products_it_is_asked_for(term: tuple[str, ...], tmp_path: Path) -> None:
    rng, arms = np.random.default_rng(1), fixed_actions(["a", "b"])
    factors = [{"user": "user.a", "time": "time.b", "place": "place.c"}[name] for name in term if name != "action"]
    contexts, chosen = wide(rng, 700), rng.integers(2, size=700)
    best = np.array([int(np.prod([context[name] for name in factors]) > 0) for context in contexts])  # type: ignore[type-var]
    batch = interactions(contexts, [arms] * 700, chosen, (chosen == best).astype(float), np.full(700, 0.5))
    right = {}
    for named in ((term,), "auto"):
        policy = RidgePolicy.new(learner(named, "linucb", ("a", "b")), seed=0)
        policy.learn(batch.take(np.arange(600)))
        held = batch.take(np.arange(600, 700))
        pmf = policy.pmf_many(held.contexts, held.actions).reshape(-1, 2)
        right[named] = float(np.mean(pmf.argmax(axis=1) == best[600:]))
        if named != "auto":
            policy.save(tmp_path)
            assert RidgePolicy.load(tmp_path).pmf_many(held.contexts, held.actions) == pytest.approx(pmf.ravel(), abs=1e-9)
    assert right[(term,)] > 0.95
    assert right["auto"] < 0.75, "33 columns have no products by themselves"


def test_products_of_the_native_engine_are_those_named_and_end_where_there_is_no_room() -> None:
    few = Columns.new(256, (("user", "context"),))
    few.grow([{"user.a": 1.0, "user.b": 1.0, "x": 1.0}])
    assert few.pairs == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 2), (1, 3), (2, 3)]
    many = Columns.new(64, (("noise", "noise", "noise"),))
    many.grow([{f"noise.{i}": 1.0 for i in range(40)}])
    assert len(many.pairs) == 41


def test_contexts_of_words_beside_actions_with_features_are_not_crossed_by_themselves() -> None:
    """Where actions are fixed, or numbers are the more, they are, as ever."""
    ids, numbers = {"user": "u7", "city": "bonn"}, {"user": "u7", "age": 3.0, "height": 2.0}
    sets = songs(ITEMS)
    for context, actions, crossed in ((ids, sets, 0), (numbers, sets, AUTO_CROSSED), (ids, fixed_actions(ITEMS), AUTO_CROSSED)):
        policy = VowpalWabbitPolicy.new(learner("auto"), seed=0)
        policy.learn(interactions([context], [actions], np.array([0]), np.array([1.0]), np.array([0.25])))
        assert policy.statistics().crossed == crossed
