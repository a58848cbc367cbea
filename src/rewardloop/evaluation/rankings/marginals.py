"""How probable what was shown is at its position, whatever stands above: known where positions draw from one distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from rewardloop.evaluation.rankings.groups import Rankings, stretches
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies.plackett_luce import position_marginals

CELLS: Final = 20_000
"""Actions × positions of the different distributions of a policy: bounds the time, about .2 ms a cell."""
_SAME: Final = 1e-6


def marginals(events: Interactions, rankings: Rankings, views: Mapping[str, Floats]) -> tuple[Ints, dict[str, Floats]] | None:
    """Positions among `rankings` (m,), the newest that the bound on time allows, and by view (m, k) their marginal probabilities.

    `views` are conditional distributions (Σ K_i,) by policy, the logged one among them. None where those of any ranking looked at
    are not draws from what is left of one distribution (Plackett–Luce), or no ranking can be looked at.
    """
    found: dict[str, list[Floats]] = {name: [] for name in views}
    known: dict[bytes, Floats] = {}
    looked_at: list[int] = []
    spent = 0
    for i in range(len(rankings.rows) - 1, -1, -1):
        rows = rankings.rows[i][rankings.rows[i] >= 0]
        if spent >= CELLS * len(views):
            break
        for name, flat in views.items():
            first, places = _one_distribution(events, rows, flat)
            if first is None or np.count_nonzero(first) < len(rows):
                return None
            key = first.tobytes() + bytes([len(rows)])
            if key not in known:
                known[key], spent = position_marginals(first.tolist(), len(rows)), spent + len(first) * len(rows)
            alone = np.ones(rankings.rows.shape[1])
            alone[: len(rows)] = np.clip(known[key][np.arange(len(rows)), places], 0.0, 1.0)
            found[name].append(alone)
        looked_at.append(i)
    return (np.array(looked_at, np.int64), {name: np.array(each) for name, each in found.items()}) if looked_at else None


def _one_distribution(events: Interactions, rows: Ints, flat: Floats) -> tuple[Floats | None, Sequence[int]]:
    """That of the first position where all others draw from what is left of it, and where in it stands what was shown."""
    place = {action: i for i, action in enumerate(events.actions[rows[0]].ids)}
    places: list[int] = []
    first: Floats | None = None
    for row, stretch in zip(rows.tolist(), stretches(events, rows), strict=True):
        here = flat[stretch]
        first = here if first is None else first
        offered = [place.get(action, -1) for action in events.actions[row].ids]
        left = first[offered]
        total = left.sum()
        # A logged distribution may be unknown, NaN, and then agrees with nothing.
        if -1 in offered or not total > 0.0 or not np.abs(left / total - here).max() <= _SAME:
            return None, places
        places.append(offered[int(events.action[row])])
    return first, places
