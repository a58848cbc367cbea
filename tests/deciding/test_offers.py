"""What is on offer: parsed once where it comes again, and nothing remembered without bound."""

from __future__ import annotations

import json

from rewardloop import ExperimentSettings
from rewardloop.deciding.offers import Offers

FREE = ExperimentSettings(experiment="free")


def test_offered_actions_are_parsed_once_and_not_for_ever() -> None:
    offers = Offers(FREE)
    sets = [json.dumps([{"id": "a", "features": {"price": i}}, {"id": "b"}]).encode() for i in range(300)]
    for raw in sets * 2:
        assert offers.of_json(raw, "$")[0].raw == raw
    assert offers.of_json(sets[-1], "$")[0] is offers.of_json(sets[-1], "$")[0]
    assert len(offers._known) <= 128


def test_actions_that_come_once_are_not_kept() -> None:
    offers = Offers(FREE)
    for i in range(3_000):
        offers.of_json(json.dumps([f"a{i}", "b"]).encode(), "$")
    assert not offers._known
