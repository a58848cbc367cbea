"""A model's answers for a whole file: what it would serve for every row. Nothing is logged and nothing learned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from rewardloop.actions import fixed_actions
from rewardloop.deciding.hosted import Hosted
from rewardloop.interactions import Floats, Ints
from rewardloop.loop.scoring.files import Scored, writing
from rewardloop.loop.scoring.rows import Bad, Chunk, Reader
from rewardloop.policies.exploration import serve_pmf_many

NAMED: Final = 20
"""Bad rows that a report names; the others are counted."""


class ScoreReport(msgspec.Struct, frozen=True):
    """How it went."""

    model_id: str
    out: str
    scored: int
    n_bad: int
    bad: tuple[Bad, ...]
    """The first of the rows that were left out, and why."""


def score(
    model: Hosted, arms: tuple[str, ...] | None, source: Path, out: Path, on_progress: Callable[[int], None] = lambda _: None
) -> ScoreReport:
    """Each good row of `source`, in its order, to `out`; bad ones are left out and named. In bounded memory.

    Raises `NotFound` and `InvalidInput` for a file without rows of any kind, `StorageUnavailable` where `out` cannot be written;
    `out` is whole or as it was.
    """
    reader = Reader(None if arms is None else fixed_actions(arms))
    scored, n_bad, bad = 0, 0, list[Bad]()
    with writing(out) as write:
        for chunk in reader.chunks(source):
            if chunk.lines:
                write(_scored(model, chunk))
            scored, n_bad = scored + len(chunk.lines), n_bad + len(chunk.bad)
            bad += chunk.bad[: NAMED - len(bad)]
            on_progress(scored)
    return ScoreReport(model.model_id, str(out), scored, n_bad, tuple(bad))


def _scored(model: Hosted, chunk: Chunk) -> list[Scored]:
    offsets = np.cumsum([0, *map(len, chunk.actions)]).astype(np.int64)
    pmf = serve_pmf_many(model.policy.pmf_many(chunk.contexts, chunk.actions), offsets, model.floor)
    best, flat = _argmax(pmf, offsets), pmf.tolist()
    edges = offsets.tolist()
    return [
        Scored(line, offered.ids[at - start], flat[at], offered.ids, flat[start:end])
        for line, offered, at, start, end in zip(chunk.lines, chunk.actions, best.tolist(), edges, edges[1:], strict=False)
    ]


def _argmax(flat: Floats, offsets: Ints) -> Ints:
    """(n,) position of the first largest number of each event."""
    tops = np.repeat(np.maximum.reduceat(flat, offsets[:-1]), np.diff(offsets))
    places = np.flatnonzero(flat == tops)
    first: Ints = places[np.searchsorted(places, offsets[:-1])]
    return first
