"""A catalogue of films, several shown at once, read from the top until one is clicked: the cascade model (Craswell et al. 2008).

Whether somebody would watch a film depends on what both say of themselves (tastes, genres), and on what neither says: how good the
film is, and the person's own liking. Everything is drawn from the seed; the world knows what it does not tell.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats

GENRES: Final = ("action", "comedy", "crime", "drama", "horror", "musical", "romance", "science")
TASTES: Final = 6


@dataclass(frozen=True, slots=True)
class Cascade:
    """`attractiveness[u, i]` is the probability that user u clicks film i when looking at it."""

    users: tuple[Features, ...]
    films: tuple[tuple[str, Features], ...]
    """Id and features."""
    attractiveness: Floats

    @classmethod
    def new(cls, seed: int, n_users: int = 100, n_films: int = 100) -> Self:
        """Drawn from the seed.

        >>> Cascade.new(0).attractiveness.shape, Cascade.new(0).users[0]["id"]
        ((100, 100), 'u0')
        """
        rng = np.random.default_rng(seed)
        tastes = rng.normal(0.0, 1.0, (TASTES, len(GENRES)))
        of_user, of_film = rng.integers(TASTES, size=n_users), rng.integers(len(GENRES), size=(n_films, 2))
        own = tastes[of_user] + rng.normal(0.0, 0.2, (n_users, len(GENRES)))
        liking = (own[:, of_film[:, 0]] + own[:, of_film[:, 1]]) / 2 + 0.5 * rng.normal(size=n_films)
        users: tuple[Features, ...] = tuple({"id": f"u{u}", "taste": f"t{taste}"} for u, taste in enumerate(of_user.tolist()))
        films = tuple(_film(i, genres) for i, genres in enumerate(of_film.tolist()))
        return cls(users, films, 1.0 / (1.0 + np.exp(2.5 - 1.5 * liking)))

    def clicks(self, user: int, shown: Sequence[int], rng: np.random.Generator) -> list[float]:
        """A reward a position: 1 where the reader stopped, 0 elsewhere; nobody looks further."""
        clicks = [0.0] * len(shown)
        for position, film in enumerate(shown):
            if rng.random() < self.attractiveness[user, film]:
                clicks[position] = 1.0
                break
        return clicks

    def click_rate(self, user: int, shown: Sequence[int]) -> float:
        """P(anything is clicked) = 1 − Π (1 − attractiveness)."""
        return float(1.0 - np.prod(1.0 - self.attractiveness[user, list(shown)]))

    def best(self, user: int, k: int) -> list[int]:
        """The k most attractive."""
        return [int(film) for film in np.argsort(-self.attractiveness[user], kind="stable")[:k]]

    def best_for_all(self, k: int) -> list[int]:
        """k films for everybody, each the one that most of those click whom the films above it left cold."""
        cold, chosen = np.ones(len(self.users)), list[int]()
        for _ in range(k):
            gain = cold @ self.attractiveness
            gain[chosen] = -1.0
            chosen.append(int(gain.argmax()))
            cold = cold * (1.0 - self.attractiveness[:, chosen[-1]])
        return chosen


@dataclass(frozen=True, slots=True)
class RankedWorld:
    """A catalogue as a world of the testbed: the same for every seed, with other visitors. Its name decides what is in it."""

    name: str
    top_k: int
    mean_delay: float = 0.0

    def catalogue(self) -> Cascade:
        return Cascade.new(zlib.crc32(self.name.encode()))


RANKED: Final = {world.name: world for world in (RankedWorld("sim:cascade", 5),)}


def _film(i: int, genres: Sequence[int]) -> tuple[str, Features]:
    return f"f{i}", {GENRES[genre]: 1.0 for genre in genres}
