"""Worlds in which requests bring actions with features: labelled sets turned into offers, and made-up ones. Nothing here decides.

- `pick`: ten rows of a labelled set are on offer, each once and never again by the same id; the context says which class is wanted.
- `like`: the same, but the context is another row of the wanted class: nothing says which.
- `ids`: the classes are on offer as ids alone, the context is a row.
- `made`: numbers of context and action, P(reward) a steep logistic function of their products; `turning`: half way its opposite.
- `visits`: 2,000 users and 800 articles by id, of 5 tastes and 12 topics that are told; each article is better or worse than its
  topic, and they come and go.
- `words`: a word of 5,000 in the context and of 3,000 in each action, Zipf-distributed; what matters are common ones.
- `tags`: actions of 300 tags, eight each, most of which do not matter.
- `many`: the same with 200 candidates a round instead of ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.worlds.bundled import bundled
from rewardloop.worlds.classification import World

K = 10
_CLASSIFIED = ("keel:penbased", "keel:letter", "keel:satimage", "digits", "keel:splice", "keel:mushroom")


class Round(NamedTuple):
    context: Features
    actions: ActionSet
    means: Floats
    """(K,) expected rewards, in [0, 1]."""


Rounds = Callable[[int, np.random.Generator], Iterator[Round]]
"""So many, drawn from a generator."""


def _offered(features: Sequence[Features], ids: Sequence[str]) -> ActionSet:
    return parse_actions(msgspec.json.encode([{"id": i, "features": own} for i, own in zip(ids, features, strict=True)]))


def _pick(name: str, n: int, rng: np.random.Generator, *, told: bool = True) -> Iterator[Round]:
    world = bundled(name)
    assert isinstance(world, World)
    for number in range(n):
        rows = rng.integers(len(world.contexts), size=K + 1).tolist()
        wanted = int(world.labels[rows[-1]])
        # One at least is what is wanted.
        rows[rng.integers(K)] = int(rng.choice(np.flatnonzero(world.labels == wanted)))
        offered = _offered([world.contexts[row] for row in rows[:K]], [f"{number}-{i}" for i in range(K)])
        context: Features = {"wanted": world.actions[wanted]} if told else world.contexts[rows[-1]]
        yield Round(context, offered, (world.labels[rows[:K]] == wanted).astype(float))


def _ids(name: str, n: int, rng: np.random.Generator) -> Iterator[Round]:
    world = bundled(name)
    assert isinstance(world, World)
    offered = parse_actions(msgspec.json.encode(list(world.actions)))
    for row in rng.integers(len(world.contexts), size=n).tolist():
        yield Round(world.contexts[row], offered, np.eye(len(world.actions))[world.labels[row]])


def _logistic(z: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-z)), np.float64)


def _numbers(values: Floats, named: str) -> Features:
    return {named.format(i): round(float(value), 4) for i, value in enumerate(values)}


def _made(p: int, q: int, n: int, rng: np.random.Generator, *, turns: bool = False, k: int = K) -> Iterator[Round]:
    weights = rng.normal(size=(p, q)) * 3.0 / np.sqrt(p * q)
    for number in range(n):
        sign = -1.0 if turns and number >= n // 2 else 1.0
        s, A = rng.normal(size=p), rng.normal(size=(k, q))
        means = _logistic(sign * 2.0 * (A @ (s @ weights)) - 1.0)
        yield Round(_numbers(s, "s{}"), _offered([_numbers(a, "a{}") for a in A], [f"{number}-{i}" for i in range(k)]), means)


def _visits(n: int, rng: np.random.Generator, *, k: int = K) -> Iterator[Round]:
    tastes, topics, users, articles = 5, 12, 2_000, 800
    likes, quality = rng.normal(size=(tastes, topics)), rng.normal(size=articles) * 0.7
    taste, topic, habit = rng.integers(tastes, size=users), rng.integers(topics, size=articles), rng.normal(size=users) * 0.3
    for number in range(n):
        # Four times as many are in the catalogue as are shown; the oldest of them leaves every fifty rounds.
        live = (np.arange(4 * k) + number // 50) % articles
        shown, user = rng.choice(live, k, replace=False), int(min(rng.zipf(1.3), users) - 1)
        means = _logistic(1.2 * likes[taste[user], topic[shown]] + quality[shown] + habit[user] - 1.5)
        own: list[Features] = [{"topic": f"t{topic[a]}", "age": float((number // 50 - a) % articles)} for a in shown.tolist()]
        context: Features = {"user": f"u{user}", "taste": f"s{taste[user]}", "hour": float(rng.integers(24))}
        yield Round(context, _offered(own, [f"a{a}" for a in shown.tolist()]), means)


def _words(n: int, rng: np.random.Generator) -> Iterator[Round]:
    queries, brands = 5_000, 3_000
    liked = rng.normal(size=brands)
    fits = rng.normal(size=(8, 8)) * 1.5
    for number in range(n):
        query = int(min(rng.zipf(1.2), queries) - 1)
        shown = np.minimum(rng.zipf(1.2, K), brands) - 1
        means = _logistic(liked[shown] + fits[query % 8, shown % 8] - 1.0)
        own: list[Features] = [{"brand": f"b{b}", "price": round(float(rng.normal()), 3)} for b in shown.tolist()]
        yield Round({"query": f"q{query}", "kind": f"k{query % 8}"}, _offered(own, [f"{number}-{i}" for i in range(K)]), means)


def _tags(n: int, rng: np.random.Generator) -> Iterator[Round]:
    tags, groups = 300, 4
    worth = rng.normal(size=(groups, tags)) * (rng.random((groups, tags)) < 0.2) * 1.5
    for number in range(n):
        group, shown = int(rng.integers(groups)), [rng.choice(tags, 8, replace=False) for _ in range(K)]
        means = _logistic(np.array([worth[group, own].sum() for own in shown]) - 1.0)
        own: list[Features] = [{f"tag.{tag}": 1.0 for tag in of.tolist()} for of in shown]
        context: Features = {"group": f"g{group}", "x": round(float(rng.normal()), 3)}
        yield Round(context, _offered(own, [f"{number}-{i}" for i in range(K)]), means)


WORLDS: Mapping[str, Rounds] = MappingProxyType(
    {
        **{f"pick {name}": partial(_pick, name) for name in _CLASSIFIED},
        "like keel:penbased": partial(_pick, "keel:penbased", told=False),
        "like iris": partial(_pick, "iris", told=False),
        "ids keel:satimage": partial(_ids, "keel:satimage"),
        "ids keel:letter": partial(_ids, "keel:letter"),
        "made 5 × 3": partial(_made, 5, 3),
        "made 20 × 10": partial(_made, 20, 10),
        "made 5 × 60": partial(_made, 5, 60),
        "made 3 × 200": partial(_made, 3, 200),
        "made 40 × 12": partial(_made, 40, 12),
        "turning 5 × 3": partial(_made, 5, 3, turns=True),
        "turning 20 × 10": partial(_made, 20, 10, turns=True),
        "many made 5 × 3": partial(_made, 5, 3, k=200),
        "many made 20 × 10": partial(_made, 20, 10, k=200),
        "many visits": partial(_visits, k=200),
        "visits": _visits,
        "words": _words,
        "tags": _tags,
    }
)
