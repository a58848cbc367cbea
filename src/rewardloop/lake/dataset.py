"""A data set: the events closed up to a watermark, to learn from and to evaluate on. Immutable; named by its fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rewardloop.events import Decision, Record
from rewardloop.interactions import Interactions, Ints
from rewardloop.lake.fingerprint import Sums, Words, add, as_hex, hash_keys, label_sums, mix
from rewardloop.lake.followed import Followed, follow
from rewardloop.lake.labels import Labels, Split, newest_labels, read_labels
from rewardloop.lake.ledger import Ledger
from rewardloop.lake.manifest import Manifest, Part
from rewardloop.lake.metrics import MetricColumns
from rewardloop.lake.opening import open_records, wholes
from rewardloop.lake.parsing import COLUMNS, Parser
from rewardloop.lake.progress import Progress, progress
from rewardloop.lake.rows import DecisionRows


class DataSet:
    """Every event with closed_at ≤ `watermark`. A function of the lake's records and the reward settings, and of nothing else."""

    def __init__(self, directory: Path, manifest: Manifest, watermark: int) -> None:
        self._directory = directory
        self._manifest = manifest
        self.watermark = watermark
        self.ledger: Ledger = manifest.ledger
        """As of the newest join."""

    @property
    def n(self) -> int:
        """Events."""
        return self.count()

    @property
    def fingerprint(self) -> str:
        """128 bits in hexadecimal: of the set of (event key, reward, closed_at), in whatever order and slices it was joined."""
        return as_hex(add(self._manifest.pruned, *(self._sums(part) for part in self._parts(-1, self.watermark))))

    def count(self, *, after: int = -1, until: int | None = None) -> int:
        """Events with after < closed_at ≤ until."""
        until = self._bounded(until)
        whole, cut = 0, 0
        for part in self._parts(after, until):
            if after < part.min_at and part.max_at <= until:
                whole += part.rows
            else:
                cut += len(read_labels(self._directory, part, after, until))
        return whole + cut

    def interactions(
        self,
        *,
        after: int = -1,
        until: int | None = None,
        split: Split = "all",
        ratio: float = 1.0,
        newest: int | None = None,
        decided_by: int | None = None,
        metrics: Sequence[str] = (),
        batch: int = 10_000,
        offers: int | None = None,
    ) -> Iterator[Interactions]:
        """Events with after < closed_at ≤ until, ordered by (closed_at, event key), in batches; the last may be smaller.

        split: `train` is sample_prob ≤ ratio, `eval` the others. newest: only so many, the last ones. decided_by: only events
        decided until then. metrics: names of those to bring along. offers: where a batch would offer more actions than that, the
        events come in several (an action takes about 1.5 KB in memory). Memory: one part of labels (columns of numbers) and a
        batch of decisions, however long the history, and two numbers a metric and event.
        Raises `Corrupt`.
        """
        until = self._bounded(until)
        parts = self._parts(after, until)
        with self._decisions() as decisions, self._decided(decided_by) as kept:
            stream: Iterator[Labels]
            if newest is None:
                stream = (kept(read_labels(self._directory, part, after, until).split(split, ratio).ordered()) for part in parts)
            else:
                stream = newest_labels(self._directory, parts, newest, kept, after=after, until=until, split=split, ratio=ratio)
            parser = Parser()
            measured = MetricColumns(self._directory, self._manifest.between("metrics", after, until), metrics)
            for labels in _batches(stream, batch):
                pieces = _pieces(labels, decisions, offers)
                parsed = (parser.interactions(some, rows, measured.of(some.seq)) for some, rows in pieces)
                yield from parsed if offers is not None else (Interactions.concatenated(list(parsed)),)

    def rows(
        self, columns: Sequence[str], *, after: int = -1, until: int | None = None, batch: int = 10_000
    ) -> Iterator[tuple[Labels, pa.Table]]:
        """Events with after < closed_at ≤ until as logged, in the order of `interactions`: labels, and columns of decisions."""
        until = self._bounded(until)
        labels = (read_labels(self._directory, part, after, until).ordered() for part in self._parts(after, until))
        with DecisionRows(self._directory, self._manifest.of("decisions"), columns) as decisions:
            for some in _batches(labels, batch):
                yield from _pieces(some, decisions, None)

    def sample(self, n: int, *, seed: int, before: int | None = None, split: Split = "all", ratio: float = 1.0) -> Interactions:
        """n events (fewer if there are no more) with closed_at ≤ before, drawn without replacement, in random order.

        The same seed draws the same events however the lake's files are cut: those whose key hashes lowest under the seed.
        """
        salt = mix(np.array([seed & (1 << 64) - 1], np.uint64))
        best: Labels | None = None
        until = self._bounded(before)
        for part in self._parts(-1, until):
            labels = read_labels(self._directory, part, -1, until).split(split, ratio)
            best = _lowest(labels if best is None else _concatenated([best, labels]), n, salt)
        if best is None or not len(best):
            return Interactions.empty()
        with self._decisions() as decisions:
            return Parser().interactions(best, decisions.take(best.seq))

    def follow(self, since: int, *, contexts: bool = False) -> Followed:
        """Decisions made after an instant with variant and reward, in order, as far as nothing is open. Raises `Corrupt`."""
        return follow(self._directory, self._manifest, since, self.watermark, contexts=contexts)

    def progress(self, actions: tuple[str, ...] = ()) -> Progress:
        """What was earned from the beginning on, stretch after stretch; `actions`: the fixed ones, to count. Raises `Corrupt`."""
        return progress(self._directory, self._manifest, self.watermark, actions)

    @property
    def has_wholes(self) -> bool:
        """Whether any decision over several slots was logged."""
        return bool(self._manifest.of("wholes"))

    def wholes(self, event_ids: Sequence[str]) -> dict[str, Decision]:
        """Those of the events that are decisions over several slots, as they were logged. Raises `Corrupt`."""
        return wholes(self._directory, self._manifest, event_ids)

    def open_records(self) -> Iterator[Record]:
        """The records of events still open: decisions, then their rewards and activations in order of time."""
        return open_records(self._directory, self._manifest)

    def _parts(self, after: int, until: int) -> tuple[Part, ...]:
        return self._manifest.between("labels", after, until)

    def _bounded(self, until: int | None) -> int:
        return self.watermark if until is None else min(until, self.watermark)

    def _sums(self, part: Part) -> Sums:
        if part.max_at <= self.watermark:
            return part.sums
        labels = read_labels(self._directory, part, -1, self.watermark)
        return label_sums(labels.hi, labels.lo, labels.reward, labels.closed_at)

    @contextmanager
    def _decided(self, by: int | None) -> Iterator[Callable[[Labels], Labels]]:
        """Leaves the labels of events decided until then; all of them where no instant is given."""
        if by is None:
            yield lambda labels: labels
            return
        with DecisionRows(self._directory, self._manifest.of("decisions"), ["decided_at"]) as rows:
            yield lambda labels: labels.take(rows.take(labels.seq)["decided_at"].to_numpy() <= by) if len(labels) else labels

    def _decisions(self) -> DecisionRows:
        return DecisionRows(self._directory, self._manifest.of("decisions"), COLUMNS)


def _lowest(labels: Labels, n: int, salt: Words) -> Labels:
    """The n whose hash is lowest, in order of it."""
    rank = mix(hash_keys(labels.hi, labels.lo) ^ salt)
    rows = np.argpartition(rank, n - 1)[:n] if 0 < n < len(rank) else np.arange(min(n, len(rank)))
    return labels.take(rows[np.lexsort((labels.lo[rows], labels.hi[rows], rank[rows]))])


def _batches(stream: Iterator[Labels], size: int) -> Iterator[Labels]:
    """The same rows, `size` at a time."""
    held: list[Labels] = []
    n = 0
    for labels in stream:
        held.append(labels)
        n += len(labels)
        if n >= size:
            rows = _concatenated(held)
            whole = n - n % size
            yield from (rows.take(slice(start, start + size)) for start in range(0, whole, size))
            held, n = [rows.take(slice(whole, None))], n - whole
    if n:
        yield _concatenated(held)


def _pieces(labels: Labels, decisions: DecisionRows, offers: int | None) -> Iterator[tuple[Labels, pa.Table]]:
    """The same rows with their decisions, as many at a time as memory should hold, and as offer so many actions; one at least."""
    step = decisions.at_once(labels.seq)
    for start in range(0, len(labels), step):
        some = labels.take(slice(start, start + step))
        rows = decisions.take(some.seq)
        if offers is None:
            yield some, rows
        else:
            sizes = pc.list_value_length(rows["pmf"]).to_numpy()
            yield from ((some.take(cut), rows.slice(cut.start, cut.stop - cut.start)) for cut in _cuts(sizes, offers))


def _cuts(sizes: Ints, most: int) -> Iterator[slice]:
    """Consecutive rows whose sizes sum to at most so much.

    >>> list(_cuts(np.array([2, 1, 5, 1]), 3))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        room = (ends[start - 1] if start else 0) + most
        stop = max(start + 1, int(np.searchsorted(ends, room, "right")))
        yield slice(start, stop)
        start = stop


def _concatenated(held: list[Labels]) -> Labels:
    columns = ("hi", "lo", "seq", "closed_at", "reward", "sample_prob")
    return held[0] if len(held) == 1 else Labels(*(np.concatenate([getattr(rows, name) for rows in held]) for name in columns))
