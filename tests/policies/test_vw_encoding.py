"""Whatever a client calls its features, Vowpal Wabbit gets indices and numbers, the same by hand and by JSON."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from rewardloop.actions import ActionSet, fixed_actions, parse_actions
from rewardloop.features import Features
from rewardloop.policies.scaling import Scaler
from rewardloop.policies.vw.encoding import SPACES, Encoder, Groups, Lines, Pairs, Shared, action_groups, label

MASK = (1 << 18) - 1
OFFSETS = (123_456_789, 4_000_000_000, 77)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
features = st.dictionaries(names, st.one_of(st.floats(-1e30, 1e30), st.integers(-(10**29), 10**29), names), max_size=6)


def encoder(*seen: Features, mask: int = MASK) -> Encoder:
    scaler = Scaler()
    scaler.update(seen)
    return Encoder(scaler, "context", mask)


def parsed(text: bytes, space: str, offset: int, mask: int = MASK) -> Pairs:
    """As Vowpal Wabbit's parser does it: a name made of digits is a number, to which the namespace's hash is added."""
    found: list[tuple[str, float]] = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    own = next(value for key, value in found if key == space)
    return [((int(name) + offset) & mask, value) for name, value in own]  # type: ignore[misc, attr-defined]


@given(features, features)
def test_pairs_are_indices_and_bounded_numbers(seen: Features, row: Features) -> None:
    pairs = encoder(seen).pairs(row)
    assert len(pairs) == len(row)
    for index, value in pairs:
        assert 0 <= index <= MASK
        assert math.isfinite(value)
        assert -5 <= value <= 5


@given(features, features)
def test_a_line_of_json_says_the_same_and_nothing_a_client_wrote(seen: Features, row: Features) -> None:
    pairs = encoder(seen).pairs(row)
    lines = Lines(dict(zip(SPACES, OFFSETS, strict=True)), MASK)
    text = lines.line(Shared(pairs[:2], pairs[2:]), lines.actions([[(SPACES[2], pairs)]]), label(0, 0.25, 0.5))
    assert text.count(b"\n") == 1
    assert text.isascii()
    assert parsed(text, "s", OFFSETS[0]) == pairs[:2]
    assert not pairs[2:] or parsed(text, "x", OFFSETS[1]) == pairs[2:]


def test_features_that_share_an_index_are_both_kept() -> None:
    crowded = encoder(mask=3)
    pairs = crowded.pairs({f"f{i}": float(i % 4) for i in range(9)})
    lines = Lines(dict(zip(SPACES, OFFSETS, strict=True)), 3)
    assert parsed(lines.line(Shared(pairs, []), lines.actions([[(SPACES[2], [])]])), "s", OFFSETS[0], mask=3) == pairs


def test_a_number_is_scaled_and_a_word_is_an_indicator() -> None:
    made = encoder({"age": 20, "os": "ios"}, {"age": 40, "os": "ios"})
    (_, age), (ios, one) = made.pairs({"age": 45, "os": "ios"})
    (android, _), (other, _) = made.pairs({"os": "android", "sys": "ios"})
    assert (age, one) == (1.5, 1.0)
    assert len({ios, android, other}) == 3


def test_integer_names_stay_apart() -> None:
    pairs = encoder().pairs({str(i): 1.0 for i in range(1_000)})
    assert len({index for index, _ in pairs}) > 995


def test_scales_follow_the_scaler_once_told() -> None:
    scaler = Scaler()
    made = Encoder(scaler, "context", MASK)
    before = made.pairs({"age": 4.0})
    scaler.update([{"age": 2.0}, {"age": 3.0}])
    made.forget_scales()
    assert made.pairs({"age": 4.0})[0][1] != before[0][1]


def test_an_action_is_known_by_its_id_and_by_its_features() -> None:
    made = encoder()
    assert [len(pairs) for pairs in action_pairs(made, fixed_actions(["a", "b"]))] == [1, 1]
    mixed = parse_actions(b'[{"id": "a", "features": {"price": 3}}, {"id": "b"}]')
    assert [len(pairs) for pairs in action_pairs(made, mixed)] == [2, 1]
    assert action_pairs(made, mixed)[1] == action_pairs(made, fixed_actions(["b"]))[0]


def test_a_feature_called_id_stands_for_the_actions_own() -> None:
    made = encoder()
    named = parse_actions(b'[{"id": "a", "features": {"id": "b"}}, {"id": "c", "features": {"id": 7}}]')
    assert action_pairs(made, named) == [made.pairs({"id": "b"}), made.pairs({"id": 7})]


def test_contexts_and_actions_do_not_share_indices() -> None:
    here, there = Encoder(Scaler(), "context", MASK), Encoder(Scaler(), "action", MASK)
    assert here.pairs({"price": 1.0}) != there.pairs({"price": 1.0})


def test_what_is_remembered_is_bounded() -> None:
    made = encoder()
    for start in range(0, 250_000, 1_000):
        made.pairs({f"f{start + i}": (1.0 if i % 2 else "word") for i in range(1_000)})
    assert made.n_remembered <= 200_000


def action_pairs(encoder: Encoder, actions: ActionSet) -> list[Pairs]:
    """Where nothing is named, an action is one group."""
    groups: list[Groups] = action_groups(encoder, actions, None)
    assert all([letter for letter, _ in group] == [SPACES[2]] for group in groups)
    return [group[0][1] for group in groups]
