"""A tour through cities, one a step. Optimum by dynamic programming over subsets (Held & Karp 1962)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import combinations, pairwise
from typing import ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.errors import InvalidInput
from rewardloop.simulators.business.episode import Floats, Masked, Masks, Rule, at_least

MOST_CITIES = 15


class TravellingSalesman(Masked):
    """Cities are uniform in a unit square; the tour begins at the first and returns there after the last. Reward: minus the way.

    Action: the next city. Observation: of each city x, y, the way to it, whether it may be visited; then x and y of where one is.
    """

    impossible: ClassVar[float] = -2.0

    def __init__(self, n_cities: int = 10, measure_bound: bool = True) -> None:
        self.n_cities = at_least(3, n_cities, "n_cities")
        if n_cities > MOST_CITIES:
            raise InvalidInput(
                f"Expected at most {MOST_CITIES} cities, so that the optimum is known, got {n_cities}", at="$.n_cities"
            )
        super().__init__(2 * n_cities, measure_bound)
        self.observation_space = spaces.Box(0.0, 1.5, (4 * n_cities + 2,), np.float32)
        self.action_space = spaces.Discrete(n_cities)

    def draw(self, generator: np.random.Generator) -> None:
        self._places = generator.random((self.n_cities, 2)).astype(np.float32)
        self._ways = ways(self._places)
        self._free = np.ones(self.n_cities, dtype=bool)
        self._free[0] = False
        self._at = 0

    def look(self) -> Floats:
        columns = [self._places.T.ravel(), self._ways[self._at], self._free, self._places[self._at]]
        return np.concatenate(columns).astype(np.float32)

    def action_masks(self) -> Masks:
        return self._free.copy()

    def advance(self, action: int) -> tuple[float, bool]:
        way = float(self._ways[self._at, action])
        self._free[action], self._at = False, action
        over = not self._free.any()
        return -(way + (float(self._ways[action, 0]) if over else 0.0)), over

    def bound(self) -> float:
        """The optimum."""
        return -shortest(self._ways)

    def baselines(self) -> Mapping[str, Rule]:
        return {"nearest neighbour": nearest, "two-opt": two_opt}


def ways(places: Floats) -> NDArray[np.float64]:
    """Distances between all places."""
    apart: NDArray[np.float64] = np.linalg.norm(places[:, None].astype(float) - places[None].astype(float), axis=2)
    return apart


def nearest(observation: Floats) -> int:
    """The nearest city that was not visited."""
    _, _, way, free = observation[:-2].reshape(4, -1)
    return int(np.argmin(np.where(free > 0, way, np.inf)))


def two_opt(observation: Floats) -> int:
    """The next city of a tour that no reversal of a part makes shorter (Croes 1958), the best of those from every start."""
    x, y, _, free = observation[:-2].reshape(4, -1)
    places = np.stack([x, y], axis=1)
    tour = _best_tour(places.tobytes(), len(places))
    here = int(np.argmin(np.abs(places - observation[-2:]).sum(axis=1)))
    at = tour.index(here)
    return next(city for city in (*tour[at:], *tour[:at]) if free[city] > 0)


@cache
def _subsets(n: int) -> tuple[NDArray[np.int64], ...]:
    """Of cities 0…n−1, the subsets of each size as bits, from size 1."""
    return tuple(np.array([sum(1 << i for i in chosen) for chosen in combinations(range(n), k)]) for k in range(1, n + 1))


def shortest(lengths: NDArray[np.float64]) -> float:
    """Length of the shortest round tour.

    >>> shortest(ways(np.array([[0, 0], [1, 1], [0, 1], [1, 0]], dtype=np.float32)))
    4.0
    """
    n = len(lengths) - 1
    within = lengths[1:, 1:]
    best = np.full((1 << n, n), np.inf)
    best[1 << np.arange(n), np.arange(n)] = lengths[0, 1:]
    for sets in _subsets(n)[1:]:
        for last in range(n):
            ending = sets[(sets >> last) & 1 == 1]
            best[ending, last] = (best[ending ^ (1 << last)] + within[:, last]).min(axis=1)
    return float((best[-1] + lengths[1:, 0]).min())


@lru_cache(64)
def _best_tour(places: bytes, n: int) -> tuple[int, ...]:
    lengths = ways(np.frombuffer(places, dtype=np.float32).reshape(n, 2))
    tours = [_untangled(_greedy(lengths, start), lengths) for start in range(n)]
    best: list[int] = min(tours, key=lambda tour: _length(tour, lengths))
    return tuple(best)


def _greedy(lengths: NDArray[np.float64], start: int) -> list[int]:
    tour, free = [start], set(range(len(lengths))) - {start}
    while free:
        tour.append(min(free, key=lambda city: (lengths[tour[-1], city], city)))
        free.remove(tour[-1])
    return tour


def _untangled(tour: list[int], lengths: NDArray[np.float64]) -> list[int]:
    better = True
    while better:
        better = False
        for i, j in combinations(range(1, len(tour)), 2):
            turned = [*tour[:i], *tour[i : j + 1][::-1], *tour[j + 1 :]]
            if _length(turned, lengths) < _length(tour, lengths) - 1e-9:
                tour, better = turned, True
    return tour


def _length(tour: list[int], lengths: NDArray[np.float64]) -> float:
    return float(sum(lengths[a, b] for a, b in pairwise([*tour, tour[0]])))
