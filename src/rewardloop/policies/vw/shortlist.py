"""Two stages for many candidates: a native regression sorts out, Vowpal Wabbit explores among those that are left.

Knows neither floor nor exclusions: who is not on the shortlist has probability 0 here, and what the platform's floor gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.errors import CorruptModel, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.contract import one_by_one
from rewardloop.policies.model_files import pack_model, unpack_model
from rewardloop.policies.native.featured import FeaturedPolicy
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings import ExperimentSettings

ENGINE: Final = "shortlist"
SORTING, EXPLORING = "sorting", "exploring"

_TIE: Final = 1e-9
"""Bounds as near are one, and the first offered goes first: rounding may not choose."""


class ShortlistPolicy:
    """Vowpal Wabbit's distribution over the `size` candidates with the highest upper confidence bound of a linear regression.

    Two stages as in candidate generation (Covington, Adams & Sargin, 2016), the first with LinUCB's bounds (Li, Chu, Langford &
    Schapire, 2010), so that what little is known of is on the shortlist too. Both stages learn from every event; of more than
    `size` candidates Vowpal Wabbit is shown as many, the chosen one among them. Up to `size` it is asked about all.
    """

    def __init__(self, sorting: FeaturedPolicy, exploring: VowpalWabbitPolicy, size: int) -> None:
        self._sorting, self._exploring, self._size = sorting, exploring, size

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` where there is no shortlist to make, or for what Vowpal Wabbit would refuse."""
        policy = settings.policy
        if policy.shortlist is None:
            raise InvalidSettings("Expected the length of a shortlist, got none", at="$.policy.shortlist")
        learner = msgspec.structs.replace(policy.learner, interactions="auto")
        linear = msgspec.structs.replace(policy, exploration="linucb", learner=learner)
        sorting = FeaturedPolicy.new(msgspec.structs.replace(settings, policy=linear), seed)
        return cls(sorting, VowpalWabbitPolicy.new(settings, seed), policy.shortlist)

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        if len(actions) <= self._size:
            return self._exploring.pmf(context, actions)
        rows = self.shortlist(context, actions)
        pmf = [0.0] * len(actions)
        for row, p in zip(rows, self._exploring.pmf(context, actions.only(rows)), strict=True):
            pmf[row] = p
        return pmf

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        if max(map(len, actions), default=0) <= self._size:
            return self._exploring.pmf_many(contexts, actions)
        return one_by_one(self, contexts, actions)

    def shortlist(self, context: Features, actions: ActionSet) -> list[int]:
        """Rows of the candidates that Vowpal Wabbit is asked about, in the order offered."""
        bounds = self._sorting.upper_bounds(context, actions)
        if bounds is None:
            return spread_rows(len(actions), self._size)
        ranked = np.argsort(-np.round(bounds / _TIE), kind="stable")
        return sorted(ranked[: self._size].tolist())

    def learn(self, interactions: Interactions) -> None:
        """Raises `InvalidInput`, with nothing learned, for a reward that is not finite."""
        self._exploring.learn(self._sorted(interactions))

    def relearn(self, interactions: Interactions) -> None:
        """Another pass of Vowpal Wabbit over events already learned from; the regression has learned all there is."""
        self._exploring.relearn(self._shown(interactions))

    def learn_bulk(self, stream: Iterable[Interactions]) -> None:
        """`learn` of every batch in turn, by Vowpal Wabbit's driver where there are many."""
        self._exploring.learn_bulk(map(self._sorted, stream))

    def save(self, directory: Path) -> None:
        size = msgspec.json.encode(self._size)
        pack_model(directory, ENGINE, {SORTING: self._sorting, EXPLORING: self._exploring}, {"size.json": size})

    @classmethod
    def load(cls, directory: Path) -> Self:
        with unpack_model(directory, ENGINE, (SORTING, EXPLORING), ("size.json",)) as (places, (size,)):
            try:
                shortest = msgspec.json.decode(size, type=int)
            except (msgspec.MsgspecError, UnicodeError) as error:
                raise CorruptModel(f"Expected the length of a shortlist: {error}", at=str(directory / "size.json")) from None
            return cls(FeaturedPolicy.load(places[SORTING]), VowpalWabbitPolicy.load(places[EXPLORING]), shortest)

    def _sorted(self, interactions: Interactions) -> Interactions:
        """The first stage learns it; what the second one is to learn."""
        self._sorting.learn(interactions)
        return self._shown(interactions)

    def _shown(self, interactions: Interactions) -> Interactions:
        offered = interactions.actions
        if max(map(len, offered), default=0) <= self._size:
            return interactions
        rows = [
            spread_rows(len(actions), self._size, chosen)
            for actions, chosen in zip(offered, interactions.action.tolist(), strict=True)
        ]
        shown = [actions.only(some) for actions, some in zip(offered, rows, strict=True)]
        offsets = np.cumsum([0, *map(len, shown)])
        chosen = np.array([some.index(row) for some, row in zip(rows, interactions.action.tolist(), strict=True)], np.int64)
        # A part of a distribution is none, and Vowpal Wabbit learns by the chosen action's probability alone.
        return replace(interactions, actions=shown, action=chosen, pmf=np.full(offsets[-1], np.nan), offsets=offsets)


def spread_rows(n: int, size: int, chosen: int = 0) -> list[int]:
    """At most `size` of n rows, evenly spread, `chosen` among them; ascending.

    >>> spread_rows(10, 3, chosen=4), spread_rows(2, 3)
    ([0, 4, 7], [0, 1])
    """
    if n <= size:
        return list(range(n))
    return sorted((n * i // size + chosen) % n for i in range(size))
