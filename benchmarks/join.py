"""How fast decisions are joined with their rewards, and data sets read: `python benchmarks/join.py [decisions]` prints JSON.

The decisions and rewards are made (ten days of traffic, 30 % rewarded within half a window, 1 % of the rewards repeated, 1 %
late, 0.1 % for nobody) and written as the lake's own part files; then `Lake.join` labels all of them in one call,
fingerprint included. Times are CPU time of the process, all threads.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from rewardloop.clock import SECOND
from rewardloop.events import Decision
from rewardloop.lake import Lake, Ledger
from rewardloop.lake.fingerprint import mix
from rewardloop.lake.parts import SCHEMAS, key_column
from rewardloop.lake.storage import Storage
from rewardloop.settings import RewardSettings

PART = 1_000_000
START = 1_700_000_000 * SECOND
SPAN = 10 * 86_400 * SECOND
WINDOW = 3_600 * SECOND


def keys(at: np.ndarray, number: np.ndarray) -> bytes:
    """Version 7 UUIDs, as the service makes them."""
    words = np.empty((len(at), 2), ">u8")
    words[:, 0] = (at // 1000) << 16 | 0x7003
    words[:, 1] = mix(number.astype(np.uint64)) >> np.uint64(2) | np.uint64(1 << 63)
    return words.tobytes()


def decisions(at: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> pa.Table:
    n = len(at)
    empty = {field.name: pa.nulls(n, field.type) for field in SCHEMAS["decisions"]}
    given = {
        "event_key": key_column(keys(at, number)),
        "seq": number,
        "effective_at": at,
        "sample_prob": rng.random(n),
        "deferred": np.zeros(n, np.bool_),
    }
    return pa.table({**empty, **given}, schema=SCHEMAS["decisions"])


def rewards(at: np.ndarray, rng: np.random.Generator) -> Iterator[pa.Table]:
    """In the order they come."""
    number = np.flatnonzero(rng.random(len(at)) < 0.3)
    told_at = at[number] + rng.integers(0, WINDOW // 2, len(number))
    twice = rng.random(len(number)) < 0.01
    late = rng.random(len(number)) < 0.01
    told_at[late] += WINDOW
    number, told_at = np.append(number, number[twice]), np.append(told_at, told_at[twice] + SECOND)
    order = np.argsort(told_at)
    nobody = rng.random(len(order)) < 0.001
    for start in range(0, len(order), PART):
        rows = order[start : start + PART]
        decided_at = at[number[rows]] + nobody[start : start + PART]
        yield pa.table(
            {
                "event_key": key_column(keys(decided_at, number[rows] + nobody[start : start + PART])),
                "event_id": pa.nulls(len(rows), pa.string()),
                "effective_at": told_at[rows],
                "rewarded_at": told_at[rows],
                "reward": rng.random(len(rows)),
                "reward_id": pa.array(np.char.mod("r%d", number[rows])),
                "final": np.zeros(len(rows), np.bool_),
            },
            schema=SCHEMAS["rewards"],
        )


def fill(directory: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    at = np.sort(rng.integers(START, START + SPAN, n))
    number = np.arange(n, dtype=np.uint64)
    storage = Storage(directory)
    manifest = storage.begin()
    for start in range(0, n, PART):
        rows = slice(start, start + PART)
        manifest = storage.add(manifest, "decisions", [decisions(at[rows], number[rows], rng)])
    for table in rewards(at, rng):
        manifest = storage.add(manifest, "rewards", [table])
    received = sum(part.rows for part in manifest.of("rewards"))
    storage.commit(replace(manifest, ledger=manifest.ledger.plus(decisions=n, rewards_received=received)))


def join_speed(n: int, rounds: int = 3) -> dict[str, object]:
    """The best of a few rounds, each on a fresh copy of the same lake; made in another process, to see this one's memory."""
    with tempfile.TemporaryDirectory() as made:
        maker = get_context("spawn").Process(target=fill, args=(Path(made), n))
        maker.start()
        maker.join()
        seconds, lakes = zip(*(_round(Path(made), n) for _ in range(rounds)), strict=True)
    assert len(set(lakes)) == 1
    fingerprint, ledger = lakes[0]
    return {
        "decisions": n,
        "decisions_per_cpu_second": round(n / min(seconds)),
        "cpu_seconds": [round(each, 2) for each in seconds],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "fingerprint": fingerprint,
        "ledger": {name: getattr(ledger, name) for name in ledger.__struct_fields__},
    }


def _round(made: Path, n: int) -> tuple[float, tuple[str, Ledger]]:
    with tempfile.TemporaryDirectory(dir=made.parent) as directory:
        for file in made.iterdir():
            os.link(file, Path(directory) / file.name)
        lake = Lake(Path(directory), RewardSettings())
        start = time.process_time()
        data = lake.join(START + SPAN + 3 * WINDOW)
        fingerprint = data.fingerprint
        seconds = time.process_time() - start
        assert data.n == n
        return seconds, (fingerprint, lake.ledger)


def small_decisions(n: int) -> list[Decision]:
    contexts = [b'{"age": %d, "device": "ios", "vip": true, "spend": %d.5}' % (i % 90, i % 1000) for i in range(n)]
    pmf, actions = (0.2, 0.5, 0.3), b'["a", "b", "c"]'
    return [
        Decision(f"order-{i}", "offers", "offers.1", START + i, context, actions, pmf, 1, 0.5, i, (i % 1000) / 1000)
        for i, context in enumerate(contexts)
    ]


def reading_speed(n: int) -> dict[str, float]:
    records = small_decisions(n)
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(Path(directory), RewardSettings())
        marks = [time.process_time()]
        for first in range(0, n, 10_000):
            lake.append(records[first : first + 10_000], b"")
        marks.append(time.process_time())
        data = lake.join(START + n + 2 * WINDOW)
        marks.append(time.process_time())
        assert sum(len(batch) for batch in data.interactions()) == n
        marks.append(time.process_time())
        assert len(data.sample(20_000, seed=1)) == 20_000
        marks.append(time.process_time())
    append, join, read, sample = (round((b - a) / n * 1e6, 2) for a, b in pairwise(marks))
    return {"append_us_per_decision": append, "join_us": join, "read_us_per_event": read, "sample_20000_us_per_event_held": sample}


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    print(json.dumps({"join": join_speed(count), "events": reading_speed(200_000)}, indent=2))
