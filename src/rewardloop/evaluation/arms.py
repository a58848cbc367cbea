"""Numbers for action ids, in a flat array beside the other ragged ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.interactions import Ints


def action_numbers(actions: Sequence[ActionSet], numbers: dict[str, int] | None = None) -> tuple[Ints, dict[str, int]]:
    """(Σ K_i,) the number of each offered action's id, in the order they first appear, and the number of every id.

    `numbers` are those given before, which are kept and added to. Events that share one `ActionSet` object cost one look-up
    together.

    >>> from rewardloop.actions import fixed_actions
    >>> action_numbers([fixed_actions(["b", "a"]), fixed_actions(["a"])])
    (array([0, 1, 1]), {'b': 0, 'a': 1})
    """
    numbers = {} if numbers is None else numbers
    known: dict[int, Ints] = {}
    for offered in actions:
        if id(offered) not in known:
            known[id(offered)] = np.array([numbers.setdefault(name, len(numbers)) for name in offered.ids], dtype=np.int64)
    return _flat([known[id(offered)] for offered in actions]), numbers


def known_numbers(actions: Sequence[ActionSet], numbers: Mapping[str, int]) -> Ints:
    """(Σ K_i,) the same with numbers that are given; an id without one has the next number after them all."""
    sets = {id(offered): offered for offered in actions}.items()
    known = {key: np.array([numbers.get(name, len(numbers)) for name in offered.ids], dtype=np.int64) for key, offered in sets}
    return _flat([known[id(offered)] for offered in actions])


def _flat(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
