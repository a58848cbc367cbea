"""Events with some of their features changed: what a policy would have seen. No policy and no estimate lives here."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import msgspec

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Ints


def borrowed(own: Features, names: AbstractSet[str], lender: Features) -> Features:
    """`own` with the features `names` as `lender` has them, absent ones included; the others keep their order.

    >>> borrowed({"age": 31, "os": "ios"}, {"age", "vip"}, {"age": 50, "vip": 1, "os": "android"})
    {'age': 50, 'os': 'ios', 'vip': 1}
    """
    kept = {name: value for name, value in own.items() if name not in names or name in lender}
    return {**kept, **{name: lender[name] for name in sorted(names) if name in lender}}


def borrowed_many(rows: Sequence[Features], names: AbstractSet[str], order: Ints) -> list[Features]:
    """Each row with the named features of another: row i of row `order[i]`."""
    lenders = [rows[i] for i in order]
    return [borrowed(own, names, lender) for own, lender in zip(rows, lenders, strict=True)]


def with_features(actions: ActionSet, features: Sequence[Features]) -> ActionSet:
    """The same ids on offer with other features.

    >>> from rewardloop.actions import parse_actions
    >>> with_features(parse_actions(b'[{"id": "a", "features": {"price": 3}}]'), [{"price": 4}]).raw
    b'[{"id":"a","features":{"price":4}}]'
    """
    offered = [{"id": action, "features": own} for action, own in zip(actions.ids, features, strict=True)]
    return ActionSet(actions.ids, tuple(features), msgspec.json.encode(offered))
