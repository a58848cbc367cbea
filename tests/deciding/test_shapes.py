"""Actions read by the shape of those before them are what `parse_actions` makes of them, or are left to it."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.offers import Offers
from rewardloop.deciding.shapes import MAX_NAMES, MAX_SHAPES, Shape, Shapes
from rewardloop.errors import InvalidInput
from rewardloop.settings import ExperimentSettings
from rewardloop.tables import Table

NAMES = ("price", "größe", "id")
numbers = st.floats(-1e30, 1e30, exclude_min=True, exclude_max=True) | st.integers(-(2**70), 2**70)
values = numbers | st.sampled_from([None, True, "dear", [1.0], {}, 1e30, -1e300])
features = st.fixed_dictionaries(dict.fromkeys(NAMES, numbers))
anything = features | st.dictionaries(st.sampled_from([*NAMES, "_label", ""]), values)
ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)


def offered(own: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[list[object]]:
    return st.lists(st.fixed_dictionaries({"id": ids, "features": own}), min_size=1, max_size=5)  # type: ignore[arg-type]


@given(offered(features) | offered(anything) | st.lists(ids, max_size=3))
def test_what_is_read_by_a_shape_is_what_is_parsed(actions: list[object]) -> None:
    raw = json.dumps(actions).encode()
    found = Shape(NAMES).read(raw)
    if found is not None:
        expected = parse_actions(raw)
        assert (found.ids, found.raw) == (expected.ids, expected.raw)
        assert expected.features is not None
        assert found.features is not None
        assert list(found.features) == [{name: float(value) for name, value in own.items()} for own in expected.features]


@given(offered(features))
def test_what_has_the_shape_is_read_by_it(actions: list[dict[str, object]]) -> None:
    raw = json.dumps(actions).encode()
    unique = len({action["id"] for action in actions}) == len(actions)
    assert (Shape(NAMES).read(raw) is not None) == unique


def raw_of(names: tuple[str, ...], value: object = 1.5, action: str = "a") -> bytes:
    return msgspec.json.encode([{"id": action, "features": dict.fromkeys(names, value)}])


def read(shapes: Shapes, raw: bytes) -> ActionSet:
    found = shapes.read(raw)
    if found is None:
        shapes.look(found := parse_actions(raw))
    return found


def test_names_that_came_twice_running_are_a_shape_until_others_come() -> None:
    shapes, (mine, other) = Shapes(), (raw_of(("price", "age")), raw_of(("price",)))
    told = [isinstance(read(shapes, raw).features, Table) for raw in (mine, mine, mine, mine, other, mine, mine, mine)]
    assert told == [False, False, True, True, False, False, False, True]


@pytest.mark.parametrize("names", [('"',), ("\\",), ("\n",), (), tuple(f"x{i}" for i in range(MAX_NAMES + 1))])
def test_names_that_no_type_may_have_are_read_the_usual_way(names: tuple[str, ...]) -> None:
    shapes = Shapes()
    assert [list(read(shapes, raw_of(names)).features or ()) for _ in range(4)] == [[dict.fromkeys(names, 1.5)]] * 4
    assert not shapes._made


def test_words_are_read_the_usual_way() -> None:
    shapes = Shapes()
    for _ in range(4):
        assert read(shapes, raw_of(("kind",), "film")).features == ({"kind": "film"},)
    assert not shapes._made


def test_a_client_that_invents_names_makes_few_types() -> None:
    shapes = Shapes()
    for i in range(3 * MAX_SHAPES):
        for _ in range(3):
            read(shapes, raw_of((f"x{i}",)))
    assert len(shapes._made) == MAX_SHAPES


def test_a_set_that_comes_again_has_its_names_in_the_order_sent() -> None:
    """Whoever decides by then may add up in that order, and so does the audit."""
    offers = Offers(ExperimentSettings(experiment="articles"))
    for action in ("a", "b", "c"):
        offers.of_json(raw_of(("price", "age"), action=action), "$", tabled=True)
    turned = raw_of(("age", "price"), action="d")
    first, again = (offers.of_json(turned, "$", tabled=True)[0].features for _ in range(2))
    assert isinstance(first, Table)
    assert again == ({"age": 1.5, "price": 1.5},)
    assert [list(row) for row in again or ()] == [["age", "price"]]


def test_what_is_wrong_is_told_with_its_place() -> None:
    offers, good = Offers(ExperimentSettings(experiment="articles")), raw_of(("price",))
    for _ in range(3):
        offers.of_json(good, "$", tabled=True)
    for raw, at in ((raw_of(("price",), 1e31), r"\$\.actions\[0\]\.features\.price"), (b'[{"id": ""}]', r"\$\.actions\[0\]")):
        request = DecideRequest(context=msgspec.Raw(b"{}"), actions=msgspec.Raw(raw))
        with pytest.raises(InvalidInput, match=at):
            offers.of_request(request, None, "$", tabled=True)
