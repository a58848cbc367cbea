"""The word a person meant: a key of the same section, a key of another one, a value by its spelling or by its other names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from msgspec import inspect

from rewardloop.settings.expected import fields, plain, root

_NOUNS = {"exploration": "exploration policy", "rule": "gate rule", "mode": "mode"}
_OTHER_WORDS = {
    "exploration": {
        "epsilon": "egreedy", "epsilon_greedy": "egreedy", "greedy": "egreedy", "bagging": "bag", "bootstrap": "bag",
        "online_cover": "cover", "boltzmann": "softmax", "thompson": "lints", "thompson_sampling": "lints", "ts": "lints",
        "ucb": "linucb", "tau_first": "first", "explore_first": "first", "random": "uniform",
    },
    "aggregation": {"first": "earliest", "last": "latest", "average": "mean", "avg": "mean", "total": "sum"},
    "estimator": {"doubly_robust": "dr", "snips": "ips", "ipw": "ips", "mtr": "dr"},
    "durability": {"fsync": "disk", "kill": "process"},
}  # fmt: skip


def noun(key: str) -> str:
    """What a person calls the value of a key."""
    return _NOUNS.get(key, key)


def nearest_word(key: str, word: str, words: Iterable[str]) -> str:
    """The value meant, as a clause; or nothing.

    >>> nearest_word("exploration", "epsilom", ["egreedy", "bag"]), nearest_word("aggregation", "averge", ["mean", "sum"])
    ('; did you mean `egreedy`?', '; did you mean `mean`?')
    """
    meanings = {known: known for known in words}
    meanings |= {name: meant for name, meant in _OTHER_WORDS.get(key, {}).items() if meant in meanings}
    near = _near(word, meanings, 0.6)
    return f"; did you mean `{meanings[near]}`?" if near else ""


def nearest_key(key: str, here: Iterable[str], section: str = "") -> str:
    """The key meant, as a clause; or nothing. `here` are the keys of the section at hand, `section` is its name.

    >>> nearest_key("epsilonn", ["epsilon", "floor"], "policy"), nearest_key("epsilon", ["experiment", "policy"])
    ('; did you mean `epsilon`?', '; it belongs under `policy`')
    >>> nearest_key("windw", ["experiment", "policy"])
    '; did you mean `window`, under `reward`?'
    """
    known = list(here)
    elsewhere = {name: place for name, place in _places(root(), "") if place != section}
    if (place := elsewhere.get(key)) is not None:
        return f"; it belongs under `{place}`" if place else "; it belongs at the top"
    if near := _near(key, known, 0.7):
        return f"; did you mean `{near}`?"
    if near := _near(key, elsewhere, 0.75):
        place = f"under `{elsewhere[near]}`" if elsewhere[near] else "at the top"
        return f"; did you mean `{near}`, {place}?"
    near = _near(key, known, 0.5)
    return f"; did you mean `{near}`?" if near else ""


def _near(word: str, known: Iterable[str], cutoff: float) -> str | None:
    matches = difflib.get_close_matches(word.lower().replace("-", "_").replace(" ", "_")[:64], list(known), n=1, cutoff=cutoff)
    return matches[0] if matches else None


def _places(section: inspect.StructType, name: str) -> Iterator[tuple[str, str]]:
    for key, field in fields(section).items():
        yield key, name
        kind = plain(field.type)
        if isinstance(kind, inspect.StructType):
            yield from _places(kind, f"{name}.{key}".lstrip("."))
