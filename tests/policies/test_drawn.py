"""What is kept for sets of actions that come again changes no distribution, and stays bounded."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.deciding.shapes import Shape
from rewardloop.features import Features
from rewardloop.policies.design.term_rows import TermRows
from rewardloop.policies.design.terms import Seen, SeenState, Terms, Units, of_action
from rewardloop.policies.design.weights import Weights
from rewardloop.policies.native.drawn import Drawn
from rewardloop.policies.scaling import Scaler
from rewardloop.tables import Table

WORDS = ("crime", "horror", "romance")


def catalogue(rng: np.random.Generator, n: int) -> ActionSet:
    made = [
        {"id": f"film {i}", "features": {"genre": str(rng.choice(WORDS)), "length": float(rng.normal(100, 20)), "id": f"s{i % 4}"}}
        for i in range(n)
    ]
    return parse_actions(msgspec.json.encode(made))


def numbers_only(rng: np.random.Generator, n: int) -> bytes:
    """Every other set leaves the length out."""
    names = ("length", "year") if rng.random() < 0.5 else ("year",)
    return msgspec.json.encode(
        [{"id": f"film {i}", "features": {name: float(rng.normal(90, 20)) for name in names}} for i in range(n)]
    )


def contexts(rng: np.random.Generator, n: int) -> list[Features]:
    return [{"taste": str(rng.choice(WORDS)), "age": float(rng.normal(40, 10)), "hour": float(rng.integers(24))} for _ in range(n)]


def rows_of(known: list[Features], actions: ActionSet) -> TermRows:
    seen, scalers = Seen(SeenState()), (Scaler(), Scaler())
    seen.look(known, [actions] * len(known))
    scalers[0].update(known)
    scalers[1].update(of_action(actions, row) for row in range(len(actions)))
    return TermRows(Terms.of(seen, Units(0.7, 0.7), 200), *scalers)


def drawn(rows: TermRows, joint: float = 2 / 3) -> Drawn:
    """A third of the terms weighs the same in every draw."""
    rng, n_joint = np.random.default_rng(3), int(rows.width * joint)
    weights = Weights(rows.layout(0, n_joint), rng.normal(size=(n_joint, 64)))
    same = rows.width - n_joint
    return Drawn(rows, weights, Weights(rows.layout(n_joint, rows.width), rng.normal(size=(same, 1))) if same else None)


@pytest.mark.parametrize("n_actions", [1, 2, 7, 300])
def test_a_set_that_came_before_is_decided_as_at_first_one_by_one_and_in_batches(n_actions: int) -> None:
    rng = np.random.default_rng(1)
    actions, asked = catalogue(rng, n_actions), contexts(rng, 60)
    asked[5] = {}
    asked[6] = {"taste": 5.0, "age": "old", "never seen": 1.0}
    rows = rows_of(asked, actions)
    again = drawn(rows)
    first = [drawn(rows).shares(context, actions) for context in asked]
    one_by_one = [again.shares(context, actions) for context in asked]
    batch = drawn(rows).shares_many(asked, [actions] * len(asked)).reshape(len(asked), -1)
    np.testing.assert_array_equal(one_by_one, first)
    np.testing.assert_array_equal(batch, first)
    np.testing.assert_array_equal(batch.sum(axis=1), 1.0)


def test_actions_that_are_alike_share_however_they_are_asked_for() -> None:
    rng = np.random.default_rng(2)
    one = b'{"features": {"genre": "crime", "length": 101.25}, "id": "%d"}'
    actions = parse_actions(b"[" + b",".join(one % i for i in range(37)) + b"]")
    asked = contexts(rng, 50)
    rows = rows_of(asked, catalogue(rng, 8))
    batch = drawn(rows).shares_many(asked, [actions] * 50).reshape(50, -1)
    made = drawn(rows)
    for context, shares in zip(asked, batch, strict=True):
        np.testing.assert_allclose(shares, 1 / 37)
        np.testing.assert_array_equal(made.shares(context, actions), shares)


def test_weights_weigh_what_the_terms_say_in_a_table_or_looked_up() -> None:
    rng = np.random.default_rng(6)
    actions, asked = catalogue(rng, 9), contexts(rng, 40)
    wide: list[Features] = [{f"x{i} {j}": 1.0 for j in range(4)} for i in range(40)]
    for known, in_a_table in ((asked, True), (wide, False)):
        rows = rows_of(known, actions)
        numbers = rng.normal(size=(rows.width, 3))
        weights, offered = Weights(rows.layout(0, rows.width), numbers), rows.offered(actions)
        assert (weights._table is not None) == in_a_table
        for context in known:
            X = rows.events([(context, of_action(actions, row)) for row in range(9)])
            V = weights.folded(rows.context(context))
            np.testing.assert_allclose(rows.scores(V, offered), X @ numbers, atol=1e-12)
            squares = Weights(rows.layout(0, rows.width), numbers * numbers).folded(rows.context(context) ** 2)
            np.testing.assert_allclose(rows.scores(squares, offered, power=2), X**2 @ numbers**2, atol=1e-12)


def test_a_batch_of_sets_that_differ_keeps_the_order_of_its_requests() -> None:
    rng = np.random.default_rng(4)
    sets = [catalogue(rng, n) for n in (3, 5, 2)]
    asked = contexts(rng, 30)
    rows = rows_of(asked, sets[1])
    offered = [sets[i % 3] for i in range(30)]
    expected = [drawn(rows).shares(context, actions) for context, actions in zip(asked, offered, strict=True)]
    np.testing.assert_array_equal(drawn(rows).shares_many(asked, offered), np.concatenate(expected))


@pytest.mark.parametrize("joint", [1.0, 0.5])
@pytest.mark.parametrize("tabled", [False, True])
def test_sets_that_never_came_before_are_decided_together_as_one_by_one(tabled: bool, joint: float) -> None:
    rng = np.random.default_rng(7)
    raws = [catalogue(rng, n).raw if i % 15 < 3 else numbers_only(rng, n) for i, n in enumerate((3, 5, 2) * 25)]
    shape = Shape(("length", "year"))
    sets = [(shape.read(raw) if tabled else None) or parse_actions(raw) for raw in raws]
    assert any(isinstance(actions.features, Table) for actions in sets) == tabled
    asked = contexts(rng, len(sets))
    rows = rows_of(asked, sets[1])
    expected = [drawn(rows, joint).shares(context, parse_actions(raw)) for context, raw in zip(asked, raws, strict=True)]
    made = drawn(rows, joint)
    assert made._n_folded is not None
    for _ in range(5):
        np.testing.assert_array_equal(made.shares_many(asked, sets), np.concatenate(expected))


def test_what_is_kept_is_bounded_however_many_sets_come_again() -> None:
    rng = np.random.default_rng(5)
    asked = contexts(rng, 4)
    made = drawn(rows_of(asked, catalogue(rng, 20)))
    for _ in range(60):
        actions = catalogue(rng, 150)
        for _ in range(6):
            made.shares(asked[0], actions)
        kept = made._sets._kept.values()
        assert sum(one.offered.numbers.shape[1] for one in kept) <= 2_000
        held = sum(one.products.size for one in kept if one.products is not None)
        assert held == made._sets.n_products <= 1 << 21
    assert held > 0
