"""Rows that stand for several events, as the other system logged only a share of such (`pdrop` of dsjson), made to count alike.

Each row is kept with probability weight / largest weight, drawn from its id. What is left is a plain sample of the other system's
events, so everything learned or estimated from it, intervals included, is right without weights; where all weights are equal,
nothing is left out. Bishop (2006), Pattern Recognition and Machine Learning, section 11.1.2: rejection sampling.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import msgspec

from rewardloop.actions import ActionSet
from rewardloop.errors import RewardloopError
from rewardloop.exchange.history import history_row
from rewardloop.exchange.rows import MAX_LINE

_UNIT = 1.0 / (1 << 64)


def heaviest(path: Path, fixed: ActionSet | None) -> float:
    """The most events that a row of the file stands for, of those that are understood; 1 where none says so.

    Decodes only lines that may say. `fixed` are the experiment's arms, if it has any.
    """
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(MAX_LINE), b"")
        return max((_weight(line, fixed) for line in lines if b'"pdrop"' in line), default=1.0)


def is_kept(row_id: str, weight: float, most: float) -> bool:
    """Whether a row of this weight is among those that are left where the largest is `most`.

    >>> is_kept("e1", 2.0, 2.0), sum(is_kept(str(i), 1.0, 4.0) for i in range(1_000))
    (True, 244)
    """
    return (
        weight >= most or int.from_bytes(blake2b(row_id.encode(), digest_size=8, person=b"pdrop").digest()) * _UNIT * most < weight
    )


def _weight(line: bytes, fixed: ActionSet | None) -> float:
    try:
        values = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"), type=dict[str, object])
        return history_row(0, values, fixed).stands_for
    except (ValueError, RecursionError, RewardloopError):
        return 1.0
