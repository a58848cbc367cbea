"""One slice of the join: the events that close after `since` and not after `until`, labelled, and their rewards accounted for.

When a reward's fate is sealed (so that any slicing of time seals the same): one within a window of its decision, with its
event, `max(received, closed_at)`; any other a window after it was received, as late if its decision was earlier, as an
orphan otherwise. Until then it stands in `unmatched`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rewardloop.lake import keys
from rewardloop.lake.manifest import Kind, Labelling, Manifest, Part
from rewardloop.lake.parts import SCHEMAS, key_words, read_part
from rewardloop.lake.statements import PAIRS, STORIES
from rewardloop.lake.stories import tell


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
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, **counts: int) -> None:
        for name, n in counts.items():
            self.counts[name] = self.counts.get(name, 0) + int(n)


def join_slice(directory: Path, manifest: Manifest, labelling: Labelling, until: int, engine: Engine) -> Slice:
    """Labels of the events with `manifest.joined` < closed_at ≤ until. Reads only parts that can hold them. Writes nothing."""
    since, window = manifest.joined, labelling.window
    sliced = Slice()
    if manifest.between("decisions", since - window, until) or manifest.between("rewards", since, until):
        _pair(directory, manifest, labelling, until=until, engine=engine, sliced=sliced)
    _settle_unmatched(directory, manifest, until, window, sliced)
    return sliced


def _pair(directory: Path, manifest: Manifest, labelling: Labelling, *, until: int, engine: Engine, sliced: Slice) -> None:
    since, window = manifest.joined, labelling.window
    values = {
        "since": since,
        "until": until,
        "window": window,
        "earliest": int(labelling.aggregation == "earliest"),
        "superseded": _without(manifest.superseded),
    }
    with _connect(directory, engine) as connection:
        _table(connection, directory, "decisions", manifest.between("decisions", since - window, until))
        _table(connection, directory, "rewards", manifest.between("rewards", since - 2 * window, until))
        _table(connection, directory, "activations", manifest.between("activations", since - 2 * window, until))
        pairs = connection.sql(PAIRS.format(**values)).to_arrow_table()
        plain = pc.less(pairs["pairs"], 2)
        _take_plain(pairs.filter(plain), labelling, sliced)
        odd = pairs.filter(pc.invert(plain))
        if odd.num_rows:
            connection.register("odd", odd)
            stories = connection.sql(STORIES.format(**values)).to_arrow_table()
            _take_stories(stories, labelling, since, until, sliced)


def _take_plain(pairs: pa.Table, labelling: Labelling, sliced: Slice) -> None:
    """Events with at most one reward, which counts."""
    inactive = pc.and_(pc.equal(pairs["deferred"], 1), pc.is_null(pairs["activated_at"]))
    n_inactive, n_told = pc.sum(inactive).as_py() or 0, pc.sum(pairs["pairs"]).as_py() or 0
    unheard = 0
    if n_inactive:
        unheard = pc.sum(pairs.filter(inactive)["pairs"]).as_py()
        pairs = pairs.filter(pc.invert(inactive))
    sliced.count(closed=pairs.num_rows + n_inactive, not_activated=n_inactive, rewards_not_activated=unheard)
    told = n_told - unheard
    sliced.count(with_reward=told, defaulted=pairs.num_rows - told, rewards_counted=told)
    if pairs.num_rows:
        reward = pc.if_else(pc.equal(pairs["pairs"], 1), pairs["reward"], labelling.default)
        sliced.labels.append(_labels(pairs, pairs["closed_at"], reward, pairs["pairs"]))


def _take_stories(rows: pa.Table, labelling: Labelling, since: int, until: int, sliced: Slice) -> None:
    """Events with several rewards, and rewards that fit no event seen so far."""
    told = rows["told_at"].to_numpy()
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


def _labels(events: pa.Table, closed_at: object, reward: object, n_rewards: object) -> pa.Table:
    columns = {
        "event_key": events["event_key"],
        "seq": events["seq"],
        "closed_at": closed_at,
        "reward": reward,
        "n_rewards": pc.cast(pa.chunked_array([n_rewards]) if isinstance(n_rewards, np.ndarray) else n_rewards, pa.int32()),
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
        sliced.count(rewards_late=late, rewards_orphan=rows.num_rows - late - matched)


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
        }
    )


def _table(connection: duckdb.DuckDBPyConnection, directory: Path, kind: Kind, parts: Sequence[Part]) -> None:
    if parts:
        connection.read_parquet([str(directory / part.name) for part in parts]).create_view(kind)
    else:
        connection.from_arrow(SCHEMAS[kind].empty_table()).create_view(kind)
