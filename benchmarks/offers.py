"""What the serving benchmark asks: request bodies, and the models that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.policies import new_policy
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.registry.pointer import Hosted, write_hosted
from rewardloop.registry.records import ModelRecord
from rewardloop.settings import ExperimentSettings


def features(rng: np.random.Generator, n: int, named: str = "x{}") -> Features:
    return {named.format(i): float(value) for i, value in enumerate(rng.normal(size=n).round(4))}


def offered(rng: np.random.Generator) -> bytes:
    """Ten actions of ten features."""
    return msgspec.json.encode([{"id": f"a{i}", "features": features(rng, 10)} for i in range(10)])


def fixed(rng: np.random.Generator, n: int) -> list[bytes]:
    """Requests of ten features to an experiment with fixed arms."""
    return [b'{"context":' + msgspec.json.encode(features(rng, 10)) + b"}" for _ in range(n)]


def catalogue(rng: np.random.Generator, actions: bytes, n: int) -> list[bytes]:
    """Requests of twenty features that all send the same actions."""
    return [b'{"context":' + msgspec.json.encode(features(rng, 20)) + b',"actions":' + actions + b"}" for _ in range(n)]


def differing(rng: np.random.Generator, n: int) -> list[bytes]:
    """Requests of twenty features, each with actions of its own."""
    return [body for _ in range(n) for body in catalogue(rng, offered(rng), 1)]


def batches(singles: Sequence[bytes], size: int = 100) -> list[bytes]:
    return [b'{"requests":[' + b",".join(singles[i : i + size]) + b"]}" for i in range(0, len(singles), size)]


def shared_catalogue(rng: np.random.Generator, actions: bytes, n: int, size: int = 100) -> list[bytes]:
    """Batches of requests of twenty features that send their actions once."""
    singles = [b'{"context":' + msgspec.json.encode(features(rng, 20)) + b"}" for _ in range(n)]
    head = b'{"actions":' + actions + b',"requests":['
    return [head + b",".join(singles[i : i + size]) + b"]}" for i in range(0, n, size)]


def host(data: Path, settings: ExperimentSettings, actions: ActionSet, n_features: int, named: str = "x{}") -> None:
    """Trains on five thousand interactions of a world in which the best action depends on the context, and hosts the model."""
    rng, n, k = np.random.default_rng(1), 5_000, len(actions)
    contexts = [features(rng, n_features, named) for _ in range(n)]
    best = np.argmax(np.array([list(context.values()) for context in contexts]) @ rng.normal(size=(n_features, k)), axis=1)
    action = rng.integers(0, k, n)
    policy = new_policy(settings, 0)
    policy.learn(
        Interactions(
            event_ids=[str(i) for i in range(n)],
            contexts=contexts,
            actions=[actions] * n,
            action=action,
            probability=np.full(n, 1 / k),
            reward=(action == best).astype(float),
            pmf=np.full(n * k, 1 / k),
            offsets=np.arange(0, n * k + 1, k),
            sample_prob=rng.random(n),
            closed_at=np.arange(n),
        )
    )
    directory = DataDirectory(data).experiment(settings.experiment)
    store = ModelStore(directory.models)
    stage = store.stage()
    policy.save(stage)
    record = ModelRecord(
        model_id=f"{settings.experiment}.1", experiment=settings.experiment, parent=None, created_at=0, watermark=0,
        dataset="", n_trained=n, settings=settings, metrics={}, golden=(), files={},
    )  # fmt: skip
    store.commit(stage, record)
    write_hosted(directory.hosted, Hosted(model_id=record.model_id))
