"""The newest closed events and what surrounds them: when, by which model, exploring or not. To look at a log, not to learn.

Read only: no lock, no join, nothing repaired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.labels import Labels, newest_labels
from rewardloop.lake.ledger import Ledger
from rewardloop.lake.manifest import Manifest
from rewardloop.lake.parsing import COLUMNS, Parser
from rewardloop.lake.parts import key_words, read_part
from rewardloop.lake.rows import DecisionRows
from rewardloop.lake.storage import Storage

Mask = npt.NDArray[np.bool_]

NEWEST = 200_000
"""Events to look at where nothing else is asked for: bounds time and memory."""
SHOWN_LINES = 5
NEVER = -1
"""An instant that is not known, or did not come."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows of a file that are no decision with a reward, for one reason."""

    n: int = 0
    lines: tuple[int, ...] = ()
    """The first of them."""

    def one_more(self, line: int) -> Refused:
        """This row too."""
        return Refused(self.n + 1, (*self.lines, line)[:SHOWN_LINES])


@dataclass(frozen=True, slots=True)
class Observed:
    """n events as they were logged, faulty ones included. What a file or a log does not tell is empty or None."""

    interactions: Interactions
    decided_at: Ints
    """(n,) microseconds UTC, or −1."""
    rewarded_at: Ints
    """(n,) the first reward, microseconds UTC, or −1."""
    explored: Mask
    """(n,) False where the caller asked for no exploration."""
    model_ids: Sequence[str]
    """(n,)"""
    has_event_ids: bool = True
    """Whether the ids are the logging system's own."""
    has_sample_prob: bool = True
    n_older: int = 0
    """Events left out because only the newest were asked for."""
    refused: Mapping[str, Refused] = field(default_factory=dict)
    """By reason."""
    experiments: Mapping[str, int] = field(default_factory=dict)
    """Rows by the experiment they name."""
    only: str | None = None
    """The experiment whose rows alone were asked for."""
    n_others: int = 0
    """Rows left out because they do not name it."""
    ledger: Ledger | None = None
    window: int | None = None
    """Microseconds that a reward may take."""
    settled_until: int | None = None
    """Of the events decided later only those rewarded already are here: the others are still open."""
    reward_range: tuple[float, float] | None = None
    """As declared."""
    train_ratio: float | None = None
    """Share of events that should train."""
    thinned: int = 0
    """Rows of a file that stand for more than themselves."""
    answers: Mapping[str, Floats] = field(default_factory=dict)
    """By column of a file that was asked for: (Σ K_i,) what another policy would have done with each event, as distributions."""

    def __len__(self) -> int:
        return len(self.interactions)

    @property
    def mixed(self) -> bool:
        """Rows of several experiments are here: no mean over them is one of any."""
        return self.only is None and len(self.experiments) > 1


def observe(directory: Path, newest: int) -> Observed:
    """The newest closed events of the lake in a directory, as of its last join. Raises `Corrupt`.

    Memory: `newest` events. What only the settings know (`reward_range`, `train_ratio`) is left to the caller.
    """
    manifest = Storage(directory).manifest
    labels = _newest(directory, manifest, newest)
    n_older = sum(part.rows for part in manifest.of("labels")) - (len(labels) if labels else 0)
    if labels is None or not len(labels):
        return Observed(Interactions.empty(), *_nothing(), n_older=n_older, ledger=manifest.ledger)
    with DecisionRows(directory, manifest.of("decisions"), (*COLUMNS, "decided_at", "model_id", "explore")) as rows:
        table = rows.take(labels.seq)
    decided_at = table["decided_at"].to_numpy()
    window = manifest.labelling.window if manifest.labelling else 0
    return Observed(
        Parser().interactions(labels, table),
        decided_at,
        _first_rewards(directory, manifest, labels),
        table["explore"].to_numpy(),
        table["model_id"].to_pylist(),
        n_older=n_older,
        ledger=manifest.ledger,
        window=window,
        settled_until=manifest.joined - window,
    )


def _nothing() -> tuple[Ints, Ints, Mask, list[str]]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool), []


def _newest(directory: Path, manifest: Manifest, newest: int) -> Labels | None:
    parts = manifest.between("labels", NEVER, manifest.joined)
    held = list(newest_labels(directory, parts, newest, after=NEVER, until=manifest.joined, split="all", ratio=1.0))
    if not held:
        return None
    columns = ("hi", "lo", "seq", "closed_at", "reward", "sample_prob")
    return Labels(*(np.concatenate([getattr(labels, name) for labels in held]) for name in columns))


def _first_rewards(directory: Path, manifest: Manifest, labels: Labels) -> Ints:
    """(n,) when the first reward of each event was received; a part of rewards in memory at a time."""
    hashes = hash_keys(labels.hi, labels.lo)
    order = np.argsort(hashes)
    first = np.full(len(labels), np.iinfo(np.int64).max)
    for part in manifest.of("rewards"):
        table = read_part(directory, part, ["event_key", "rewarded_at"])
        place = _places(hashes[order], hash_keys(*key_words(table["event_key"])))
        known = place >= 0
        np.minimum.at(first, order[place[known]], table["rewarded_at"].to_numpy()[known])
    return np.where(first == np.iinfo(np.int64).max, NEVER, first)


def _places(known: Words, wanted: Words) -> Ints:
    """(m,) where each stands among the sorted `known`, or −1."""
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place, -1)
