"""Which feature is which column of the native engine's design. No numbers: scaling and rows are `design`'s.

A context becomes e = [1, z₁ … z_p]: a number has a column, a word ("os" = "ios") one of its own. A column of the design is a
product e_i·e_j: (0, j) is z_j itself, (i, j) a term of degree 2, (i, j, k) one of degree 3, which only interactions by name ask
for. Columns are only ever appended, so that what was summed over earlier rows stays true: those rows have 0 there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, combinations_with_replacement, islice
from math import sqrt
from typing import Annotated, Literal, NamedTuple, Self

import msgspec
from msgspec import Meta

from rewardloop.features import MAX_NAME, Features
from rewardloop.policies.namespaces import multiplied, namespace

REACH = 2.0
"""Without products a context is so much longer, the prior so much wider: of 1, 1.5, 2, 2.8, 4 and √(p/2) it lost nowhere much, on
the six data sets of `worlds.bundled` that have no products; on texture, whose features hang together, it earned .91 for .78."""
MAX_QUADRATIC = 20
"""A context of more columns than these has no terms of degree 2: they would cost more than they tell."""


class Column(NamedTuple):
    """A place in e: of a number, of a word, or of whatever came too late for a place of its own (bucket number `value`)."""

    kind: Literal["number", "word", "bucket"]
    name: str
    value: str = ""


Product = Annotated[tuple[int, ...], Meta(min_length=2, max_length=3)]


class ColumnsState(msgspec.Struct, frozen=True):
    limit: int
    degree: Literal[0, 1, 2]
    """0: not decided, nothing has been seen."""
    n_names: Annotated[int, Meta(ge=1)]
    columns: list[Column]
    pairs: list[Product]
    reach: Annotated[float, Meta(gt=0)] = 1.0
    """How much longer a context is without terms of degree 2; 1 in models of before this was known."""
    interactions: tuple[tuple[str, ...], ...] = ()
    """By name: then these are the products, however many columns there are, as long as they fit."""


class Columns:
    """Grows with the contexts to at most `limit` columns besides the constant, in order of appearance.

    The last tenth is kept for names and words beyond, which share it by the CRC-32 of their name; words longer than a name
    may be go there too. The contexts of the first `grow` decide the degree: 2 where they have at most 20 columns and all
    products fit. A word has no square and no product with another word of the same name: the one is itself, the other 0.

    >>> columns = Columns.new(limit=256)
    >>> columns.grow([{"age": 31, "os": "ios"}, {"age": 40, "os": "linux"}])
    >>> columns.numbers, columns.words
    ({'age': 1}, {'os': {'ios': 2, 'linux': 3}})
    >>> columns.pairs
    [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    """

    def __init__(self, state: ColumnsState) -> None:
        self._limit, self._degree, self._reach = state.limit, state.degree, state.reach
        self._interactions = state.interactions
        self._asked = multiplied(state.interactions)
        self.n_names = state.n_names
        """Names of numbers and of words that the contexts of the first `grow` had, one at least."""
        self._columns: list[Column] = list(state.columns)
        self.pairs: list[Product] = list(state.pairs)
        self._n_buckets = max(1, state.limit // 10)
        self.numbers: dict[str, int] = {}
        self.words: dict[str, dict[str, int]] = {}
        self.buckets: dict[int, int] = {}
        for place, column in enumerate(self._columns, start=1):
            self._index(column, place)

    @classmethod
    def new(cls, limit: int, interactions: tuple[tuple[str, ...], ...] = ()) -> Self:
        return cls(ColumnsState(limit, 0, 1, [], [(0, 0)], REACH, interactions))

    def state(self) -> ColumnsState:
        known = self.n_names, list(self._columns), list(self.pairs)
        return ColumnsState(self._limit, self._degree, *known, self._reach, self._interactions)

    def __len__(self) -> int:
        """Places in e, the constant included."""
        return len(self._columns) + 1

    @property
    def named(self) -> bool:
        """Whether the products are those that were asked for by name."""
        return bool(self._interactions)

    @property
    def unit(self) -> float:
        """What a z-score of 1 becomes in e: √(2/p) for p names, so that a typical context is as long whatever p is; without
        products `REACH` times that.

        The prior standard deviation of a reward then does not grow with the number of features: `alpha` means the same for 4
        as for 64. With the products it is, but for factors √2, the kernel (1 + 2 z·z'/p)².
        """
        return sqrt(2.0 / self.n_names) * (self._reach if self._degree == 1 else 1.0)

    def grow(self, contexts: Iterable[Features]) -> None:
        """Gives a column to every name and word not seen before."""
        for context in contexts:
            for name, value in context.items():
                if not self.knows(name, value):
                    self._admit(name, value)
        if not self._degree:
            self._decide_degree()

    def knows(self, name: str, value: float | str) -> bool:
        """Whether it has a column of its own."""
        return value in self.words.get(name, ()) if type(value) is str else name in self.numbers

    def bucket(self, name: str, value: float | str) -> int:
        """The number of the bucket of a feature without a column of its own."""
        text = f"{name}={value}" if type(value) is str else name
        return zlib.crc32(text.encode("utf-8", "surrogatepass")) % self._n_buckets

    def _admit(self, name: str, value: float | str) -> None:
        own = Column("word", name, value) if isinstance(value, str) else Column("number", name)
        if self._room() > 0 and len(own.value) <= MAX_NAME:
            self._append(own)
        elif (bucket := self.bucket(name, value)) not in self.buckets:
            self._append(Column("bucket", "", str(bucket)))

    def _append(self, column: Column) -> None:
        self._columns.append(column)
        place = len(self._columns)
        self._index(column, place)
        self.pairs.append((0, place))
        products = self._products(place)
        if self._degree == 2 and (self._interactions or place <= MAX_QUADRATIC) and len(products) <= self._room():
            self.pairs += products

    def _decide_degree(self) -> None:
        n = len(self._columns)
        self.n_names = max(1, len(self.numbers) + len(self.words))
        few = n <= MAX_QUADRATIC or bool(self._interactions)
        products = [pair for place in range(1, n + 1) for pair in self._products(place)] if few else []
        self._degree = 2 if few and len(products) <= self._room() else 1
        self.pairs += products if self._degree == 2 else []

    def _products(self, place: int) -> list[Product]:
        """With it and those before it; a list that is too long to fit ends early."""
        others = [other for other in range(1, place + 1) if self._may_multiply(other, place)]
        if not self._interactions:
            return [(other, place) for other in others]
        pairs: Iterator[Product] = ((i, place) for i in others if self._asks(i, place))
        both = (pair for pair in combinations_with_replacement(others, 2) if self._may_multiply(*pair))
        triples: Iterator[Product] = ((i, j, place) for i, j in both if self._asks(i, j, place))
        return list(islice(chain(pairs, triples), self._room() + 1))

    def _asks(self, *places: int) -> bool:
        return self._asked(tuple([namespace(self._columns[place - 1].name) for place in places]))

    def _may_multiply(self, i: int, j: int) -> bool:
        one, other = self._columns[i - 1], self._columns[j - 1]
        same_word = one.kind == other.kind == "word" and one.name == other.name
        return "bucket" not in (one.kind, other.kind) and not same_word

    def _room(self) -> int:
        return self._limit - self._n_buckets - (len(self.pairs) - 1)

    def _index(self, column: Column, place: int) -> None:
        if column.kind == "number":
            self.numbers[column.name] = place
        elif column.kind == "word":
            self.words.setdefault(column.name, {})[column.value] = place
        else:
            self.buckets[int(column.value)] = place
