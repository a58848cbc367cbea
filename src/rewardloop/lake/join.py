"""One slice of the join: the events that close after `since` and not after `until`, labelled, and their rewards accounted for.

When a reward's fate is sealed (so that any slicing of time seals the same): one within a window of its decision, with its
event, `max(received, closed_at)`; any other a window after it was received, as late if its decision was earlier, as an
orphan otherwise. Until then it stands in `unmatched`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rewardloop.errors import StorageUnavailable
from rewardloop.lake import keys
from rewardloop.lake.manifest import Kind, Labelling, Manifest, Part
from rewardloop.lake.metrics import metric_rows
from rewardloop.lake.parts import SCHEMAS, key_words, read_part
from rewardloop.lake.statements import MEASURED, PAIRS, STORIES
from rewardloop.lake.stories import Mask, Stories, tell


@dataclass(frozen=True, slots=True)
class Engine:
    """How much of the machine a join may use."""

    threads: int = 1
    memory: str = "1GB"
    """DuckDB's share; what does not fit spills into the lake's own directory."""


@dataclass(slots=True)
class Slice:
    """What one slice adds to the lake."""

    labels: list[pa.Table] = field(default_factory=list)
    unmatched: list[pa.Table] = field(default_factory=list)
    metrics: list[pa.Table] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, **counts: int) -> None:
        for name, n in counts.items():
            self.counts[name] = self.counts.get(name, 0) + int(n)


class Joiner:
    """Joins slices, one after another, over one DuckDB connection, opened when there is something to join."""

    def __init__(self, directory: Path, labelling: Labelling, engine: Engine) -> None:
        self._directory = directory
        self._labelling = labelling
        self._engine = engine

    def join(self, manifest: Manifest, until: int) -> Slice:
        """Labels of the events with `manifest.joined` < closed_at ≤ until. Reads only parts that can hold them.

        Writes nothing but what does not fit into memory; raises `StorageUnavailable` where there is no room for that.
        """
        sliced = Slice()
        if self._may_close(manifest, until):
            try:
                self._pair(manifest, until, sliced)
            except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
                found = str(error).splitlines()[0]
                raise StorageUnavailable(f"The join found no room: {found}", at=str(self._directory)) from error
        _settle_unmatched(self._directory, manifest, until, self._labelling.window, sliced)
        return sliced

    def _may_close(self, manifest: Manifest, until: int) -> bool:
        """Whether anything arrived in the slice, or a window ends in it."""
        since, window = manifest.joined, self._labelling.window
        arrived = any(manifest.between(kind, since, until) for kind in ("decisions", "rewards", "activations"))
        return arrived or bool(manifest.between("decisions", since - window, until - window))

    def _pair(self, manifest: Manifest, until: int, sliced: Slice) -> None:
        since, window = manifest.joined, self._labelling.window
        values = self._values(manifest, until)
        self._table("decisions", manifest.between("decisions", since - window, until))
        self._table("rewards", manifest.between("rewards", since - 2 * window, until))
        self._table("activations", manifest.between("activations", since - 2 * window, until))
        pairs = self._connection.sql(PAIRS.format(**values)).to_arrow_table()
        plain = pc.less(pairs["pairs"], 2)
        odd = pairs.filter(pc.invert(plain))
        _take_plain(pairs.filter(plain) if odd.num_rows else pairs, sliced)
        if self._measured(values):
            self._connection.register("measured", pairs.filter(pc.equal(pairs["pairs"], 1)))
            _take_metrics(self._connection.sql(MEASURED.format(**values)).to_arrow_table(), sliced)
        if odd.num_rows:
            self._connection.register("odd", odd)
            stories = self._connection.sql(STORIES.format(**values)).to_arrow_table()
            _take_stories(stories, self._labelling, since, until, sliced)

    def _measured(self, values: Mapping[str, object]) -> bool:
        """Whether any reward of the slice carries metrics: the others pay for one look at a column of nothing."""
        since = "effective_at > {since} - CAST(2 AS BIGINT) * {window} AND effective_at <= {until}".format(**values)
        return bool(self._connection.sql(f"SELECT 1 FROM rewards WHERE {since} AND metrics <> '' LIMIT 1").fetchall())

    def _values(self, manifest: Manifest, until: int) -> dict[str, object]:
        return {
            "since": manifest.joined,
            "until": until,
            "window": self._labelling.window,
            "default": f"CAST({self._labelling.default!r} AS DOUBLE PRECISION)",
            "earliest": int(self._labelling.aggregation == "earliest"),
            "waits": int(self._labelling.waits),
            "superseded": _without(manifest.superseded),
        }

    def _table(self, kind: Kind, parts: Sequence[Part]) -> None:
        if parts:
            paths = [str(self._directory / part.name) for part in parts]
            found = self._connection.read_parquet(paths, union_by_name=kind == "rewards")
            older = kind == "rewards" and "metrics" not in found.columns
            (found.project("*, '' AS metrics") if older else found).create_view(kind)
        else:
            self._connection.from_arrow(SCHEMAS[kind].empty_table()).create_view(kind)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return _connect(self._directory, self._engine)


def _take_plain(pairs: pa.Table, sliced: Slice) -> None:
    """Events with at most one reward, which counts."""
    told = pc.sum(pairs["pairs"]).as_py() or 0
    sliced.count(closed=pairs.num_rows, with_reward=told, defaulted=pairs.num_rows - told, rewards_counted=told)
    if pairs.num_rows:
        sliced.labels.append(_labels(pairs, pairs["closed_at"], pairs["reward"], pairs["pairs"]))


def _take_stories(rows: pa.Table, labelling: Labelling, since: int, until: int, sliced: Slice) -> None:
    """Events with several rewards, and rewards that fit no event seen so far."""
    told = rows["told_at"].fill_null(-1).to_numpy()
    stray = (rows["fits"].to_numpy() == 0) & (told > since)
    if stray.any():
        sliced.unmatched.append(pa.table([rows["event_key"].filter(stray), told[stray]], schema=SCHEMAS["unmatched"]))
    rows = rows.filter(pc.is_valid(rows["seq"]))
    if not rows.num_rows:
        return
    stories = tell(rows, labelling)
    of_inactive = np.repeat(stories.inactive, np.diff(stories.start, append=rows.num_rows))
    due = (stories.settled_at > since) & (stories.settled_at <= until)
    sliced.count(
        rewards_counted=(due & stories.counted & ~of_inactive).sum(),
        rewards_duplicate=(due & stories.duplicate & ~of_inactive).sum(),
        rewards_late=(due & stories.late).sum(),
        rewards_not_activated=(due & of_inactive & ~stories.late).sum(),
    )
    closes = (stories.closed_at > since) & (stories.closed_at <= until)
    kept = closes & ~stories.inactive
    n_told = int((kept & (stories.n_rewards > 0)).sum())
    sliced.count(closed=closes.sum(), not_activated=closes.sum() - kept.sum(), with_reward=n_told, defaulted=kept.sum() - n_told)
    if kept.any():
        reward = np.where(stories.n_rewards > 0, stories.value, labelling.default)[kept]
        events = rows.take(stories.start[kept])
        sliced.labels.append(_labels(events, stories.closed_at[kept], reward, stories.n_rewards[kept]))
        _take_metrics(_carried(rows, stories, kept), sliced)


def _carried(rows: pa.Table, stories: Stories, kept: Mask) -> pa.Table:
    """What the rewards that count for the events `kept` carry."""
    event = np.repeat(np.arange(len(kept)), np.diff(stories.start, append=rows.num_rows))
    carries = pc.not_equal(rows["metrics"].fill_null(""), "").to_numpy(zero_copy_only=False)
    mine = np.flatnonzero(kept[event] & stories.counted & carries)
    told = rows.select(["event_key", "seq", "metrics"]).take(mine)
    return told.add_column(2, "closed_at", pa.array(stories.closed_at[event[mine]]))


def _take_metrics(told: pa.Table, sliced: Slice) -> None:
    """`told`: one row a reward that counts and carries metrics, ordered by event."""
    if told.num_rows:
        sliced.metrics.append(metric_rows(told))


def _labels(events: pa.Table, closed_at: object, reward: object, n_rewards: object) -> pa.Table:
    columns = {
        "event_key": events["event_key"],
        "seq": events["seq"],
        "closed_at": closed_at,
        "reward": reward,
        "n_rewards": n_rewards,
        "sample_prob": events["sample_prob"],
    }
    return pa.table(columns).cast(SCHEMAS["labels"])


def _settle_unmatched(directory: Path, manifest: Manifest, until: int, window: int, sliced: Slice) -> None:
    """Rewards for which no event was found are late or orphans, a window after they came; newer ones are kept until then."""
    after, due_by = manifest.joined - window, until - window
    for part in manifest.between("unmatched", after, due_by):
        rows = read_part(directory, part, ["event_key", "effective_at"])
        _look_up(directory, manifest, _received(rows, after, due_by), window, sliced)
    arrived, sliced.unmatched = sliced.unmatched, []
    for rows in arrived:
        _look_up(directory, manifest, _received(rows, -1, due_by), window, sliced)
        sliced.unmatched.append(_received(rows, due_by, until))


def _received(rows: pa.Table, after: int, until: int) -> pa.Table:
    at = rows["effective_at"].to_numpy()
    return rows.filter(pa.array((at > after) & (at <= until)))


def _look_up(directory: Path, manifest: Manifest, rows: pa.Table, window: int, sliced: Slice) -> None:
    """Late: its decision is more than a window older. Where it is nearer, the reward went with its event. Otherwise an orphan."""
    if rows.num_rows:
        found = keys.find(directory, manifest.of("decisions"), *key_words(rows["event_key"]))
        valid = ~np.isin(found.seq, manifest.superseded)
        gap = rows["effective_at"].to_numpy()[found.query[valid]] - found.effective_at[valid]
        late, matched = int((gap > window).sum()), int((abs(gap) <= window).sum())
        told = _told_to_slots(directory, manifest, rows, window)
        sliced.count(rewards_late=late, rewards_orphan=rows.num_rows - late - matched - told)


def _told_to_slots(directory: Path, manifest: Manifest, rows: pa.Table, window: int) -> int:
    """Rewards of whole events that each slot has a copy of: these are accounted for, and not the original. See `spreading`."""
    found = keys.find(directory, manifest.of("wholes"), *key_words(rows["event_key"]))
    fits = rows["effective_at"].to_numpy()[found.query] >= found.effective_at - window
    return len(np.unique(found.query[fits]))


def _without(superseded: Sequence[int]) -> str:
    return f"AND seq NOT IN ({', '.join(str(seq) for seq in superseded)})" if superseded else ""


def _connect(directory: Path, engine: Engine) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "threads": engine.threads,
            "memory_limit": engine.memory,
            "temp_directory": str(directory / "tmp"),
            "arrow_lossless_conversion": True,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
    )
