"""Namespaces: the top-level keys of contexts and of actions' features, and which of them `interactions` multiplies. No weights.

`{"user": {"age": 31, "os": "ios"}}` has the namespace `user`. A name means the context's and the actions' features under that
key; `context` and `action` mean all that the one and the other has, an action's id included (its namespace is `id`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from rewardloop.actions import ActionSet
from rewardloop.errors import InvalidInput
from rewardloop.features import Features
from rewardloop.settings import MAX_NAMESPACES

_KEY: Final = re.compile(r"[.\[]")
CONTEXT, ACTION = "context", "action"
_OTHER_CONTEXT, _OTHER_ACTION = ord("s"), ord("a")
_FIRST_CONTEXT, _FIRST_ACTION = ord("A"), ord("b")

Split = tuple[Features, list[tuple[int, Features]]]


def namespace(feature: str) -> str:
    """The top-level key that a feature stands under.

    >>> namespace("device.os"), namespace("scores[0]"), namespace("age")
    ('device', 'scores', 'age')
    """
    return _KEY.split(feature, maxsplit=1)[0]


class Spaces(NamedTuple):
    """Letters of Vowpal Wabbit's namespaces, as it takes them, beyond those that are always there."""

    context: tuple[int, ...] = ()
    action: tuple[int, ...] = ()


class Namespaces:
    """A letter for each name in `interactions`, and one more for what actions have under it.

    >>> named = Namespaces((("user", "item"),))
    >>> named.arguments()
    ['--interactions', 'AB', '--interactions', 'Ac', '--interactions', 'bB', '--interactions', 'bc']
    >>> named.of_context({"user.age": 31, "day": "mon"})
    ({'day': 'mon'}, [(65, {'user.age': 31})])
    """

    def __init__(self, interactions: Sequence[Sequence[str]]) -> None:
        self._interactions = interactions
        names = dict.fromkeys(name for term in interactions for name in term if name not in (CONTEXT, ACTION))
        assert len(names) <= MAX_NAMESPACES
        self._context = {name: _FIRST_CONTEXT + i for i, name in enumerate(names)}
        self._action = {name: _FIRST_ACTION + i for i, name in enumerate(names)}
        self.spaces = Spaces(tuple(self._context.values()), tuple(self._action.values()))

    def arguments(self) -> list[str]:
        """Vowpal Wabbit's, for exactly the products asked for."""
        terms = ("".join(map(chr, letters)) for term in self._interactions for letters in product(*map(self._letters, term)))
        return [word for term in dict.fromkeys(terms) for word in ("--interactions", term)]

    def of_context(self, context: Features) -> Split:
        """What stands under no name, and what stands under each letter."""
        return _split(context, self._context)

    def of_action(self, own: Features) -> Split:
        return _split(own, self._action)

    def check(self, context: Features, actions: ActionSet, at: str = "$") -> None:
        """Raises `InvalidInput` where the context and an action have features under the same name of `interactions`."""
        here = {namespace(feature) for feature in context} & self._context.keys()
        for i, own in enumerate(actions.features or ()) if here else ():
            both = next((feature for feature in own if namespace(feature) in here), None)
            if both is not None:
                name = namespace(both)
                raise InvalidInput(
                    f"Expected namespace `{name}` in the context or in actions, got it in both: call one of them otherwise",
                    at=f"{at}.actions[{i}].features.{name}",
                )

    def _letters(self, name: str) -> tuple[int, ...]:
        if name == CONTEXT:
            return (_OTHER_CONTEXT, *self.spaces.context)
        if name == ACTION:
            return (_OTHER_ACTION, *self.spaces.action)
        return self._context[name], self._action[name]


def multiplied(interactions: Iterable[Sequence[str]]) -> Callable[[tuple[str, ...]], bool]:
    """Whether features of the given namespaces are multiplied in the context, whoever acts: `action` is no factor there.

    >>> asked = multiplied([["user", "time", "action"], ["context", "action"]])
    >>> asked(("time", "user")), asked(("user", "user"))
    (True, False)
    """
    terms = {tuple(sorted(name for name in term if name != ACTION)) for term in interactions}

    @cache
    def asked(names: tuple[str, ...]) -> bool:
        return any(tuple(sorted(choice)) in terms for choice in product(*({name, CONTEXT} for name in names)))

    return asked


def _split(features: Features, letters: dict[str, int]) -> Split:
    rest: Features = {}
    named: dict[int, Features] = {}
    for feature, value in features.items():
        letter = letters.get(namespace(feature))
        (rest if letter is None else named.setdefault(letter, {}))[feature] = value
    return rest, list(named.items())
