"""Is there a log at all, and is it one log?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.lake.observed import Observed

ENOUGH = 100
"""Fewer events bear no statistical check."""
_PART = 0.02
"""A group of actions with a smaller share of the events is no experiment of its own."""


def enough_events(log: Observed) -> Finding:
    """None is an error, one as well; under a hundred is a warning."""
    n = len(log)
    numbers, refused = {"events": float(n), "not_looked_at": float(log.n_older)}, sum(each.n for each in log.refused.values())
    if n < 2:
        return Finding(
            "events",
            "error",
            "The log holds one event." if n else _none(refused),
            numbers,
            "Nothing can be estimated, and no interval can be computed.",
            "See below why the rows were left out." if refused else "Decide and reward first, then join (`rewardloop join`).",
        )
    older = f" {log.n_older:,} older ones were not looked at." if log.n_older else ""
    if n < ENOUGH:
        return Finding(
            "events",
            "warning",
            f"The log holds {n} events.{older}",
            numbers,
            "Most checks need hundreds of events to see anything: silence means little.",
            "Look again later; `rewardloop power` says how many events a difference needs.",
        )
    return Finding("events", "note" if older else "ok", f"{n:,} events.{older}", numbers)


def _none(refused: int) -> str:
    return f"None of the {refused:,} rows can be read as an event." if refused else "The log is empty."


def one_experiment(log: Observed) -> Finding:
    """Rows that name several experiments are an error; groups of actions never offered together, a warning."""
    if not len(log):
        return Finding("one_experiment", "note", "No event.")
    if log.mixed:
        names = ", ".join(f"`{name}` ({n:,})" for name, n in Counter(log.experiments).most_common(5))
        found = _mixed("error", f"The rows name {len(log.experiments)} experiments: {names}.", len(log.experiments))
        return msgspec.structs.replace(found, remedy="Look at each by itself, with `--only`: what is to be gained is told then.")
    groups = _groups(log)
    if len(groups) > 1:
        told = " and ".join(f"{n:,} events on {_names(ids)}" for ids, n in groups[:3])
        return _mixed("warning", f"There are {len(groups)} sets of actions never offered together: {told}.", len(groups))
    numbers = {"groups": float(len(groups))}
    if log.n_others:
        others = f"{log.n_others:,} {'rows that do' if log.n_others != 1 else 'row that does'} not name it"
        told = f"Only the experiment `{log.only}` was looked at, not {others}; its actions are offered together."
        return Finding("one_experiment", "note", told, {**numbers, "not_looked_at": float(log.n_others)})
    return Finding("one_experiment", "ok", "One experiment: its actions are offered together.", numbers)


def _mixed(severity: str, sentence: str, groups: int) -> Finding:
    return Finding(
        "one_experiment",
        "error" if severity == "error" else "warning",
        sentence,
        {"groups": float(groups)},
        "Rewards of different experiments are averaged into one number, and a model learns whichever is larger.",
        "Split the log by experiment and look at each by itself.",
    )


def _groups(log: Observed) -> list[tuple[frozenset[str], int]]:
    """Connected groups of action ids (joined by being offered together) that hold a share of the events, largest first."""
    sets = {id(offered): offered.ids for offered in log.interactions.actions}
    counts = Counter(id(offered) for offered in log.interactions.actions)
    root = _joined(sets.values())
    members: dict[str, set[str]] = {}
    for action, parent in root.items():
        members.setdefault(parent, set()).add(action)
    events: Counter[str] = Counter()
    for key, ids in sets.items():
        events[root[ids[0]]] += counts[key]
    return [(frozenset(members[parent]), n) for parent, n in events.most_common() if n >= _PART * len(log)]


def _joined(sets: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Each id to one that stands for its group: union-find with path halving."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for ids in sets:
        first = find(ids[0])
        for other in ids[1:]:
            parent[find(other)] = first
    return {name: find(name) for name in parent}


def _names(ids: frozenset[str]) -> str:
    shown = sorted(ids)[:3]
    return ", ".join(f"`{name}`" for name in shown) + (" …" if len(ids) > len(shown) else "")
