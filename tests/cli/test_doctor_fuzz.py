"""Files of anything: the doctor answers or refuses in a sentence; every number it says is finite, every row accounted for."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from rewardloop.errors import RewardloopError
from rewardloop.evaluation.diagnostics import diagnose
from rewardloop.exchange.observing import observe_file

ODD: list[object] = [
    None, 0, 1, -1, 1e30, 1e300, -1e308, float("nan"), "", "a", "\x00", "é" * 300, True, [], {}, [1, 2], {"a": {"b": [1]}},
    "2020-01-01", "1e400", 10**18, 5e-324, [0.5, 0.5], [1, 0], ["a", "b"], '["a","b"]',
]  # fmt: skip
KEYS = [
    "action", "reward", "probability", "action_prob", "actions", "context", "observation", "pmf", "event_id", "timestamp",
    "sample_prob", "model_id", "x", "experiment", "c", "EventId", "_label_cost",
]  # fmt: skip


def rows(generator: random.Random, n: int) -> list[dict[str, object]]:
    often, rarely = generator.choice(KEYS), generator.random() / 15
    made: list[dict[str, object]] = []
    for i in range(n):
        row: dict[str, object] = {
            "action": generator.choice("ab"),
            "reward": generator.random(),
            "probability": 0.5,
            "timestamp": i,
        }
        row |= {key: generator.choice(ODD) for key in KEYS if generator.random() < (0.5 if key == often else rarely)}
        made.append(row)
    return made


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list | tuple):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("seed", range(60))
def test_any_file(tmp_path: Path, seed: int) -> None:
    generator = random.Random(seed)
    n = generator.choice([1, 2, 30, 150, 400])
    path = tmp_path / "history.jsonl"
    path.write_text("\n".join(map(json.dumps, rows(generator, n))))
    try:
        log = observe_file(path, generator.choice([None, ["a", "b", "c"]]), generator.choice([2, 100, 1_000]))
    except RewardloopError as error:
        assert str(error)
        return
    assert len(log) + log.n_older + sum(refused.n for refused in log.refused.values()) == n
    found = diagnose(log)
    assert all(abs(number) < float("inf") for number in numbers(msgspec.to_builtins(found)))
