"""Reading labels: the closed events of a data set in their one order, (closed_at, event key), a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Ints
from rewardloop.lake.fingerprint import Words
from rewardloop.lake.manifest import Part
from rewardloop.lake.parts import key_words, read_part

Split = Literal["train", "eval", "all"]
Rows = npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice


@dataclass(frozen=True, slots=True)
class Labels:
    """(n,) each."""

    hi: Words
    lo: Words
    seq: Ints
    closed_at: Ints
    reward: Floats
    sample_prob: Floats

    def __len__(self) -> int:
        return len(self.seq)

    def take(self, rows: Rows) -> Self:
        return type(self)(*(getattr(self, column.name)[rows] for column in fields(self)))

    def split(self, split: Split, ratio: float) -> Self:
        """train: sample_prob ≤ ratio; eval: > ratio."""
        if split == "all":
            return self
        train = self.sample_prob <= ratio
        return self.take(train if split == "train" else ~train)

    def ordered(self) -> Self:
        """By closed_at, then by event key, unsigned."""
        order = np.argsort(self.closed_at, kind="stable")
        at = self.closed_at[order]
        if (at[1:] == at[:-1]).any():
            order = np.lexsort((self.lo, self.hi, self.closed_at))
        return self.take(order)


def read_labels(directory: Path, part: Part, after: int, until: int) -> Labels:
    """Those of a part with after < closed_at ≤ until, in no order."""
    table = read_part(directory, part, ["event_key", "seq", "closed_at", "reward", "sample_prob"])
    columns = (table[name].to_numpy() for name in ("seq", "closed_at", "reward", "sample_prob"))
    labels = Labels(*key_words(table["event_key"]), *columns)
    if after < part.min_at and part.max_at <= until:
        return labels
    return labels.take((labels.closed_at > after) & (labels.closed_at <= until))


def newest_labels(
    directory: Path,
    parts: Sequence[Part],
    newest: int,
    kept: Callable[[Labels], Labels] = lambda labels: labels,
    *,
    after: int,
    until: int,
    split: Split,
    ratio: float,
) -> Iterator[Labels]:
    """The last `newest` of a split, of those that are `kept`, in order. Reads parts from the end, only as many as it takes."""
    held: list[Labels] = []
    missing = newest
    for part in reversed(parts):
        if missing <= 0:
            break
        labels = kept(read_labels(directory, part, after, until).split(split, ratio).ordered())
        held.append(labels.take(slice(max(len(labels) - missing, 0), None)))
        missing -= len(held[-1])
    return reversed(held)
