"""Why this action: what each feature of one event did to the probability of what was chosen. One decision, no rewards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from statistics import median_low
from typing import NamedTuple

import msgspec

from rewardloop.actions import ActionSet
from rewardloop.evaluation.explanations.altered import borrowed, with_features
from rewardloop.evaluation.explanations.feature_groups import Source
from rewardloop.features import Features

ServeOne = Callable[[Features, ActionSet], Sequence[float]]
"""A context and the offered actions to the distribution that is served."""

MAX_CHANGES = 500
"""Features of one event that are looked at, in the order they come."""
_SAME = 1e-9
"""Probabilities no further apart are equal."""


class Typical(NamedTuple):
    """The value each feature usually has; a feature that most rows do not have is usually absent, and not in here."""

    context: Features
    action: Features


class Contribution(msgspec.Struct, frozen=True):
    """One feature of one event."""

    name: str
    of: Source
    value: float | str | None
    """None: the event does not have it."""
    typical: float | str | None
    probability: float
    """Of the chosen action, were the feature typical."""
    change: float
    """The probability as it is − that: above 0, the value spoke for the action."""


class Contributions(msgspec.Struct, frozen=True, kw_only=True):
    """What spoke for and against the chosen action, the strongest first."""

    action: str
    probability: float
    """Served, of the chosen action."""
    favourite: str
    """The action that was served with the highest probability."""
    n_actions: int
    """On offer, and not excluded."""
    even: bool
    """Whether all of them were as probable: the model favours none."""
    typical_probability: float
    """Of the chosen action, were every feature typical."""
    features: tuple[Contribution, ...]
    """Those whose value is not the typical one: the others changed nothing."""
    n_typical: int
    n_beyond: int
    """Left out because there are 500 before them."""


def typical(contexts: Sequence[Features], offered: Sequence[ActionSet]) -> Typical:
    """Of a sample of events: the median of a number (the lower of the middle two), the most frequent of a word.

    >>> typical([{"age": 20, "os": "ios"}, {"age": 40, "os": "ios"}, {"age": 50, "rare": 1}], []).context
    {'age': 40, 'os': 'ios'}
    """
    sets = {id(actions): actions.features or () for actions in offered}.values()
    return Typical(_typical(contexts), _typical(list(chain.from_iterable(sets))))


def contributions(context: Features, actions: ActionSet, chosen: int, usual: Typical, serve: ServeOne) -> Contributions:
    """Replaces one feature at a time by its typical value, of the context and of the chosen action, and looks at pmf[chosen].

    One evaluation of the policy a feature, at most 500. Each effect is of one feature alone: where two act only together both
    show it, so effects need not add up.
    """
    served = serve(context, actions)
    event = _Event(context, actions, chosen, usual, serve)
    unusual = [*event.unusual("context"), *event.unusual("action")]
    found = [event.contribution(of, name, served[chosen]) for of, name in unusual[:MAX_CHANGES]]
    open_to_it = [probability for probability in served if probability > 0]
    return Contributions(
        action=actions.ids[chosen],
        probability=served[chosen],
        favourite=actions.ids[max(range(len(served)), key=served.__getitem__)],
        n_actions=len(open_to_it),
        even=len(open_to_it) > 1 and max(open_to_it) - min(open_to_it) < _SAME,
        typical_probability=event.all_typical(),
        features=tuple(sorted(found, key=lambda feature: -abs(feature.change))),
        n_typical=event.n_typical("context") + event.n_typical("action"),
        n_beyond=max(0, len(unusual) - MAX_CHANGES),
    )


class _Event(NamedTuple):
    context: Features
    actions: ActionSet
    chosen: int
    usual: Typical
    serve: ServeOne

    def values(self, of: Source) -> tuple[Features, Features]:
        """As they are, and as they usually are; an action without features has none to replace."""
        if of == "context":
            return self.context, self.usual.context
        return (self.actions.features[self.chosen], self.usual.action) if self.actions.features is not None else ({}, {})

    def unusual(self, of: Source) -> list[tuple[Source, str]]:
        own, usual = self.values(of)
        return [(of, name) for name in dict.fromkeys([*own, *usual]) if own.get(name) != usual.get(name)]

    def n_typical(self, of: Source) -> int:
        own, usual = self.values(of)
        return sum(value == usual.get(name) for name, value in own.items())

    def contribution(self, of: Source, name: str, probability: float) -> Contribution:
        own, usual = self.values(of)
        without = self._probability(**{of: borrowed(own, {name}, usual)})
        return Contribution(name, of, own.get(name), usual.get(name), without, probability - without)

    def all_typical(self) -> float:
        return self._probability(context=self.usual.context, action=self.values("action")[1])

    def _probability(self, context: Features | None = None, action: Features | None = None) -> float:
        """Of the chosen action, under another context, or with other features of its own."""
        actions = self.actions
        if action is not None and actions.features is not None:
            own = [action if i == self.chosen else features for i, features in enumerate(actions.features)]
            actions = with_features(actions, own)
        return self.serve(self.context if context is None else context, actions)[self.chosen]


def _typical(rows: Sequence[Features]) -> Features:
    values: dict[str, list[float | str]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return {name: _middle(seen) for name, seen in values.items() if 2 * len(seen) >= len(rows)}


def _middle(seen: Sequence[float | str]) -> float | str:
    """The median where most are numbers, else the most frequent word (of equals the first in the alphabet)."""
    numbers = [value for value in seen if not isinstance(value, str)]
    if 2 * len(numbers) >= len(seen):
        return median_low(numbers)
    words = Counter(value for value in seen if isinstance(value, str))
    return min(words, key=lambda word: (-words[word], word))
