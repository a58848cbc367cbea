"""What a client sends becomes features, or a refusal that names the place; nothing else ever happens."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.actions import parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.features import MAX_FEATURES, MAX_NAME, parse_context, parse_contexts
from rewardloop.json_values import MAX_MAGNITUDE

to_json = msgspec.json.encode
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)


@given(value=VALUES)
def test_any_json_is_features_or_a_refusal_with_a_place(value: object) -> None:
    try:
        features = parse_context(json.dumps(value).encode())
    except InvalidInput as refusal:
        assert refusal.at is not None
        assert refusal.at.startswith("$.context")
    else:
        assert all(not name.startswith("_") for name in features)
        assert all(isinstance(each, str) or abs(each) < MAX_MAGNITUDE for each in features.values())


@given(values=st.lists(st.dictionaries(st.text(max_size=9), VALUES, max_size=4) | VALUES, max_size=5))
def test_many_contexts_are_read_as_one_by_one(values: list[object]) -> None:
    raws = [json.dumps(value).encode() for value in values]
    try:
        expected = [parse_context(raw) for raw in raws]
    except InvalidInput:
        with pytest.raises(InvalidInput):
            parse_contexts(raws)
    else:
        assert repr(parse_contexts(raws)) == repr(expected)


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_features_or_a_refusal(raw: bytes) -> None:
    for parse in (parse_context, parse_actions):
        try:
            parse(raw)
        except InvalidInput as refusal:
            assert refusal.status in (400, 422)


@given(value=st.dictionaries(st.text(min_size=1, max_size=9).filter(lambda key: key[0] != "_"), st.floats(-1e20, 1e20) | st.text()))
def test_features_read_back_as_themselves(value: dict[str, float | str]) -> None:
    features = parse_context(json.dumps(value).encode())
    assert parse_context(json.dumps(features).encode()) == features


@pytest.mark.parametrize(
    ("raw", "at", "says"),
    [
        (b"[1]", "$.context", "Expected an object, got an array"),
        (b'{"a": {"_b": 1}}', "$.context.a._b", "does not begin with `_`"),
        (b'{"": 1}', "$.context.", "got an empty one"),
        (b'{"a": [1, "x"]}', "$.context.a[1]", "Expected an array of numbers"),
        (b'{"a": 1e31}', "$.context.a", "between -1e30 and 1e30"),
        (b'{"a": NaN}', "$.context", "Expected JSON"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, "$.context" + ".a" * 9, "levels of nesting"),
        (b'{"a": "\xff"}', "$.context", "Expected JSON"),
    ],
)
def test_refusals(raw: bytes, at: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_context(raw)
    assert caught.value.at == at
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "at", "says"),
    [
        (b"{}", "$.actions", "Expected an array, got an object"),
        (b"[]", "$.actions", "Expected 1 to 10000 actions, got 0"),
        (json.dumps([str(i) for i in range(10_001)]).encode(), "$.actions", "got 10001"),
        (b'["a", "a"]', "$.actions[1]", "`a` twice"),
        (b'["a", ""]', "$.actions[1]", "1 to 256 characters"),
        (b'[{"features": {}}]', "$.actions[0]", "Expected an action id"),
        (b'[{"id": "a", "feature": {}}]', "$.actions[0]", "did you mean `features`"),
        (b'[{"id": "a", "features": [1]}]', "$.actions[0].features", "Expected an object"),
        (b'[{"id": "a", "features": {"_x": 1}}]', "$.actions[0].features._x", "does not begin with `_`"),
    ],
)
def test_refused_actions(raw: bytes, at: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_actions(raw)
    assert caught.value.at == at
    assert says in str(caught.value)


@pytest.mark.parametrize("n_others", [0, 1, 40, 100])
@pytest.mark.parametrize("letter", ["n", "é"])
def test_a_name_has_1_to_256_characters_however_it_comes(n_others: int, letter: str) -> None:
    others = {f"x{i}": "words" for i in range(n_others)}
    context, longer, nameless = ({**others, name: 1.0} for name in (MAX_NAME * letter, (MAX_NAME + 1) * letter, ""))
    assert parse_context(to_json(context)) == context
    assert parse_contexts([to_json(context), b"{}"]) == [context, {}]
    assert parse_actions(to_json([{"id": "a", "features": context}])).features == (context,)
    for bad in (longer, nameless):
        raw = to_json(bad)
        for parse in (parse_context, lambda raw: parse_contexts([b"{}", raw])):
            with pytest.raises(InvalidInput):
                parse(raw)
        with pytest.raises(InvalidInput):
            parse_actions(to_json([{"id": "a", "features": bad}]))


def test_the_number_of_features_is_bounded() -> None:
    with pytest.raises(InvalidInput, match="at most 10000 features"):
        parse_context(json.dumps({f"x{i}": i for i in range(MAX_FEATURES + 1)}).encode())
