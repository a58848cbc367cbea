"""Experiments over actions with features that began when another policy was the default go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from msgspec.structs import replace

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.policies import load_policy
from rewardloop.policies.native.featured import FeaturedPolicy
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.registry.records import ModelRecord, record_from_json, record_to_json
from rewardloop.settings import GateSettings, PolicySettings, RankingSettings

OFFERED = [{"id": "heat", "features": {"genre": "crime"}}, {"id": "alien", "features": {"genre": "horror"}}]


def settings(**policy: str) -> ExperimentSettings:
    always = GateSettings(rule="always")
    return ExperimentSettings(experiment="films", gate=always, policy=PolicySettings(**policy))  # type: ignore[arg-type]


def play(films: Experiment, clock: ManualClock, n: int, seed: int) -> float:
    generator, earned = np.random.default_rng(seed), 0.0
    for i in range(n):
        clock.advance(SECOND)
        taste = str(generator.choice(["crime", "horror"]))
        decision = films.decide({"taste": taste}, OFFERED, event_id=f"{seed}-{i}")
        reward = float(OFFERED[decision.action]["features"]["genre"] == taste)  # type: ignore[index]
        films.reward(decision.event_id, reward)
        earned += reward
    clock.advance(SECOND)
    return earned / n


def was_not_named(record: ModelRecord) -> ModelRecord:
    """The record as it was read when no policy was named in what a model remembers."""
    raw = record_to_json(record)
    named = b'"exploration":"%s"' % str(record.settings.policy.exploration).encode()
    assert raw.count(named) == 1
    return record_from_json(raw.replace(named, b'"exploration":null'))


def test_a_model_of_vowpal_wabbit_is_served_until_a_fresh_one_has_learned_all_that_it_knew(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(settings(exploration="regcbopt"), tmp_path, clock=clock) as films:
        play(films, clock, 200, seed=1)
        films.turn()
        old = films.modelling.catalog.model("films.1")
        play(films, clock, 50, seed=2)
    with Experiment.open(settings(), tmp_path, clock=clock) as films:
        assert films.serving() == "films.1"
        assert isinstance(films.modelling.load("films.1"), VowpalWabbitPolicy)
        assert play(films, clock, 50, seed=3) > 0.6
        films.turn()
        new = films.modelling.catalog.model("films.2")
        assert (films.serving(), new.parent, new.settings.policy.exploration) == ("films.2", None, "lints")
        assert new.n_trained > old.n_trained
        assert isinstance(films.modelling.load("films.2"), FeaturedPolicy)
        assert play(films, clock, 100, seed=4) > 0.8
        films.turn()
        assert films.modelling.catalog.model("films.3").parent == "films.2"
        assert films.audit("3-7").same
        for file in films.modelling.store.path("films.1").iterdir():
            file.write_bytes(b"garbage")
        assert films.rebuild("films.1") == old


def test_a_model_remembers_which_policy_it_is_and_one_that_does_not_is_what_was_the_default_then(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(settings(), tmp_path, clock=clock) as films:
        play(films, clock, 60, seed=1)
        films.turn()
        record = films.modelling.catalog.model("films.1")
    assert record.settings.policy.exploration == "lints"
    assert record_from_json(record_to_json(record)) == record
    assert was_not_named(record).settings.exploration == "regcbopt"
    arms = replace(record, settings=replace(record.settings, actions=("heat", "alien")))
    assert was_not_named(arms).settings.exploration == "lints"
    clicks = replace(record, settings=replace(record.settings, ranking=RankingSettings(feedback="cascade")))
    assert was_not_named(clicks).settings.exploration == "lints"


def test_online_learning_goes_on_with_the_champions_policy_and_its_snapshots_say_so(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(settings(exploration="regcbopt"), tmp_path, clock=clock) as films:
        play(films, clock, 100, seed=1)
        films.turn()
    with Experiment.open(settings(), tmp_path, clock=clock) as films:
        play(films, clock, 50, seed=2)
        online = films.online()
        clock.advance(SECOND)
        online.step()
        published = films.modelling.store.ids()[-1]
        snapshot, path = films.modelling.store.open(published)
        assert published.startswith("films.1+")
        assert snapshot.settings.exploration == "regcbopt"
        assert isinstance(load_policy(path), VowpalWabbitPolicy)
