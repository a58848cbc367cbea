"""Which products of a context's and an action's features are columns of one regression. No numbers: rows are `term_rows`' business.

A context becomes s = [1, s₁ … s_p] and an action a = [1, a₁ … a_q]: a number has a place, a word ("genre" = "crime") one of its
own, and an action's id is a word like others. Contexts of few features are multiplied with themselves as well: s_k = s_i·s_j.
A term (i, j) is the product s_i·a_j: (0, j) is a feature of the action itself, (i, 0) one of the context, (0, 0) the constant.
Terms are only ever appended, so that what was summed over earlier rows stays true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, combinations_with_replacement, product
from math import sqrt
from typing import Annotated, Final, Literal, NamedTuple, Self, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from rewardloop.actions import ActionSet
from rewardloop.features import MAX_NAME, Features
from rewardloop.interactions import Ints

ID: Final = "id"
"""The name under which an action's id is a word, unless it brings a feature of that name."""
REACH: Final = 2.0
_RARE: Final = 1 / 1_024, 1 / 128
"""Terms met less than once in all events are left out: always those rarer than the first, never those not rarer than the second."""
_LOOKED_AT: Final = 100
_MULTIPLIED: Final = 512
"""Features of a side that are in products."""
_CROSSED: Final = 20
"""Contexts of more features than these are not multiplied with themselves, as those of fixed arms."""
_COUNTED: Final = 5_000
_ONCE: Final = 2_000
"""Features that were learned from once, and are remembered."""
Pair = tuple[Features, Features]
"""A context, and the features of the action that was chosen, its id among them."""
_Key = TypeVar("_Key", str, tuple[int, int])
Term = Annotated[tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]], Meta()]


class Column(NamedTuple):
    """What stands in one place of s or of a."""

    kind: Literal["number", "word", "product"]
    name: str
    value: str = ""
    factors: tuple[int, int] = (0, 0)
    """Of a product: the places of its two factors, which come before it."""


class Units(NamedTuple):
    """What a z-score of 1, and a word, become in s and in a."""

    context: Annotated[float, Meta(gt=0)]
    action: Annotated[float, Meta(gt=0)]


class SeenState(msgspec.Struct, frozen=True):
    n: Annotated[int, Meta(ge=0)] = 0
    context: list[tuple[Column, float]] = []
    action: list[tuple[Column, float]] = []


class TermsState(msgspec.Struct, frozen=True):
    limit: Annotated[int, Meta(ge=1)]
    units: Units
    context: list[Column]
    action: list[Column]
    terms: list[Term]
    once: list[Column] = []
    """Features without a term that were learned from once, the newest last."""
    apart: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Variance of the weight of a term that is not joint, before anything is learned; of one that is, it is 1."""
    scales: list[Annotated[float, Meta(gt=0)]] = []
    """What the product of each term is multiplied by; none: 1."""


class Side:
    """Places of one side, from 1 on."""

    def __init__(self, columns: Iterable[Column] = ()) -> None:
        self.columns: list[Column] = []
        self.numbers: dict[str, int] = {}
        self.words: dict[str, dict[str, int]] = {}
        self.products: dict[tuple[int, int], int] = {}
        for column in columns:
            self.place(column)

    def __len__(self) -> int:
        """Length of s or a, the constant included."""
        return len(self.columns) + 1

    def place(self, column: Column) -> int:
        """Its place; made where it has none."""
        if column.kind == "number":
            return self._place(self.numbers, column.name, column)
        if column.kind == "word":
            return self._place(self.words.setdefault(column.name, {}), column.value, column)
        return self._place(self.products, column.factors, column)

    def without_place(self, features: Features) -> Features:
        """Those of them that stand nowhere: of most events none."""
        numbers, words = self.numbers, self.words
        return {
            name: value
            for name, value in features.items()
            if (value not in words.get(name, ()) if type(value) is str else name not in numbers)
        }

    def numbered(self, places: Sequence[int]) -> Ints:
        """Which features stand in some places; words of a name are one."""
        names = ["", *((c.kind, c.name, c.factors) for c in self.columns)]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([numbers[names[place]] for place in places], dtype=np.intp)

    def _place(self, places: dict[_Key, int], key: _Key, column: Column) -> int:
        if key not in places:
            self.columns.append(column)
            places[key] = len(self.columns)
        return places[key]


class Seen:
    """How often each feature was not 0: in contexts, and among the actions on offer, of which up to 100 an event are looked at."""

    def __init__(self, state: SeenState) -> None:
        self._n = state.n
        self._context, self._action = defaultdict(float, state.context), defaultdict(float, state.action)

    def state(self) -> SeenState:
        return SeenState(self._n, list(self._context.items()), list(self._action.items()))

    def look(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> None:
        """Counts some events."""
        self._n += len(contexts)
        for context, offered in zip(contexts, actions, strict=True):
            for column in _columns(context):
                self._context[column] += 1.0
            rows = range(0, len(offered), -(-len(offered) // _LOOKED_AT))
            for row in rows:
                for column in _columns(of_action(offered, row)):
                    self._action[column] += 1.0 / len(rows)
        self._context, self._action = _most_common(self._context), _most_common(self._action)

    @property
    def shares(self) -> tuple[dict[Column, float], dict[Column, float]]:
        """Of contexts, and of actions."""
        context, action = ({column: n / self._n for column, n in counts.items()} for counts in (self._context, self._action))
        return context, action

    @property
    def rare(self) -> float:
        """The share below which a term is left out."""
        least, most = _RARE
        return min(most, max(least, 1.0 / max(1, self._n)))


class Terms:
    """At most `limit` terms besides the constant: those that are most often not 0, and features of contexts alone after the others.

    How often s_i·a_j is not 0 is guessed by the product of how often each factor is; what is too rare is left out. An action's
    feature that is learned from twice gets a term by itself, and so does one of a context, as long as there is room; what has none
    says nothing.

    >>> from rewardloop.actions import parse_actions
    >>> films = parse_actions(b'[{"id": "heat", "features": {"crime": 1}}, {"id": "ronin", "features": {"crime": 1}}]')
    >>> seen = Seen(SeenState()); seen.look([{"taste": "t1"}, {"taste": "t2"}], [films, films])
    >>> Terms.of(seen, Units(1.0, 1.0), limit=8).terms
    [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (1, 2), (1, 3), (2, 2)]
    """

    def __init__(self, state: TermsState) -> None:
        self._limit = state.limit
        self.units = state.units
        self.context, self.action = Side(state.context), Side(state.action)
        self.terms: list[Term] = list(state.terms)
        self._once, self.apart = dict.fromkeys(state.once), state.apart
        self.scales = list(state.scales) or [1.0] * len(state.terms)
        """What the product of each term is multiplied by."""

    @classmethod
    def of(cls, seen: Seen, units: Units, limit: int) -> Self:
        """Decided by what was seen."""
        made = cls(TermsState(limit, units, [], [], [(0, 0)]))
        made._decide(*seen.shares, seen.rare)
        made.scales = [1.0] * len(made.terms)
        return made

    def ordered(self, order: Sequence[int], apart: float = 1.0) -> Self:
        """The same, behind the constant in the order of their numbers in `terms`."""
        made = type(self)(TermsState(self._limit, self.units, [], [], [(0, 0)], apart=apart))
        made.scales = [self.scales[0], *(self.scales[at] for at in order)]
        for i, j in (self.terms[at] for at in order):
            own = made.context.place(self.context.columns[i - 1]) if i else 0
            made.terms.append((own, made.action.place(self.action.columns[j - 1]) if j else 0))
        return made

    def state(self) -> TermsState:
        columns, terms, scales = (list(self.context.columns), list(self.action.columns)), list(self.terms), list(self.scales)
        return TermsState(self._limit, self.units, *columns, terms, list(self._once), self.apart, scales)

    def grow(self, events: Iterable[Pair]) -> None:
        """Gives a term to every feature without one that is met for the second time, while there is room: most ids never are."""
        for context, action in events:
            for features, side in ((action, self.action), (context, self.context)):
                for column in _columns(side.without_place(features)):
                    if len(self.terms) <= self._limit and self._again(column):
                        place = side.place(column)
                        self.terms.append((place, 0) if side is self.context else (0, place))
                        self.scales.append(1.0)

    def _again(self, column: Column) -> bool:
        if column in self._once:
            del self._once[column]
            return True
        self._once[column] = None
        if len(self._once) > _ONCE:
            del self._once[next(iter(self._once))]
        return False

    def cross(self, room: int) -> None:
        """Contexts of few features are multiplied with themselves, as features too, where all their terms find `room`."""
        places = range(1, len(self.context)) if len(self.context.columns) <= _CROSSED else ()
        pairs = [pair for pair in combinations_with_replacement(places, 2) if self._may_multiply(*pair)]
        if len(self.terms) - 1 + len(pairs) * len(self.action) <= room:
            for pair in pairs:
                own = self.context.place(Column("product", "", "", pair))
                self.terms += [(own, j) for j in range(len(self.action))]
        self.scales = [1.0] * len(self.terms)

    def numbered(self) -> tuple[Ints, Ints]:
        """(d,) of which features of a context, and of an action, each term is a product; words of a name are one feature."""
        return self.context.numbered([i for i, _ in self.terms]), self.action.numbered([j for _, j in self.terms])

    def _decide(self, contexts: Mapping[Column, float], actions: Mapping[Column, float], rare: float) -> None:
        # No product is met more often than either factor: those that are rare, or beyond the limit, are in none.
        often, offered = (
            [(share, column) for column, share in sorted(shares.items(), key=lambda counted: -counted[1]) if share >= rare]
            for shares in (contexts, actions)
        )
        often, offered = often[: self._limit], offered[: self._limit]
        of_actions = [(share, None, action) for share, action in offered]
        pairs = product(often[:_MULTIPLIED], offered[:_MULTIPLIED])
        both = [(one * other, context, action) for (one, context), (other, action) in pairs if one * other >= rare]
        of_contexts = [(share, context, None) for share, context in often]
        ranked = [*sorted(chain(of_actions, both), key=_by_mass), *of_contexts]
        for _, context, action in ranked[: self._limit]:
            self.terms.append((self.context.place(context) if context else 0, self.action.place(action) if action else 0))

    def _may_multiply(self, i: int, j: int) -> bool:
        """A word is its own square, and no other word stands under its name."""
        one, other = self.context.columns[i - 1], self.context.columns[j - 1]
        return not one.kind == other.kind == "word" or one.name != other.name


def _most_common(counts: defaultdict[Column, float]) -> defaultdict[Column, float]:
    """Half of them, where there are too many: clients that invent names cannot grow the model without end."""
    if len(counts) <= 2 * _COUNTED:
        return counts
    return defaultdict(float, sorted(counts.items(), key=lambda counted: -counted[1])[:_COUNTED])


def _by_mass(term: tuple[float, Column | None, Column | None]) -> float:
    return -term[0]


def usual_units(events: Sequence[Pair]) -> Units:
    """√(2 / n) for n features of a side that are not 0 in a usual event, but 1 at most: no prior is wider where there are more."""
    context, action = (sum(sum(map(bool, pair[side].values())) for pair in events) / len(events) for side in (0, 1))
    return Units(min(1.0, sqrt(REACH / max(context, 1.0))), min(1.0, sqrt(REACH / max(action, 1.0))))


def of_action(offered: ActionSet, row: int) -> Features:
    """The features of one action, its id among them."""
    own = offered.features[row] if offered.features is not None else {}
    return own if ID in own else {ID: offered.ids[row], **own}


def _columns(features: Features) -> list[Column]:
    """Of what is not 0."""
    return [
        Column("word", name, value) if isinstance(value, str) else Column("number", name)
        for name, value in features.items()
        if value and (not isinstance(value, str) or len(value) <= MAX_NAME)
    ]
