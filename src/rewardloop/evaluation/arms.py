"""Numbers for action ids, in a flat array beside the other ragged ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rewardloop.features import ActionSet
from rewardloop.interactions import Ints


def action_numbers(actions: Sequence[ActionSet]) -> tuple[Ints, int]:
    """(Σ K_i,) the number of each offered action's id, in the order they first appear, and how many ids there are.

    Events that share one `ActionSet` object cost one look-up together.
    """
    numbers: dict[str, int] = {}
    known: dict[int, Ints] = {}
    for offered in actions:
        if id(offered) not in known:
            known[id(offered)] = np.array([numbers.setdefault(name, len(numbers)) for name in offered.ids], dtype=np.int64)
    return np.concatenate([known[id(offered)] for offered in actions]), len(numbers)
