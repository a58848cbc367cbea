"""Many requests at once: what the hosted model serves to each, by array operations where they are alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.offers import Offer
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.exploration import sample, sample_rows, serve_pmf, serve_rows

_Pmf = tuple[float, ...]


class Batch(NamedTuple):
    """Requests, their contexts understood, and what is on offer to each."""

    requests: Sequence[DecideRequest]
    features: Sequence[Features]
    offers: Sequence[Offer]

    @property
    def n_cells(self) -> int:
        """Probabilities that will be made."""
        return sum([len(actions.ids) for actions, _ in self.offers])


def serve_batch(hosted: Hosted, batch: Batch, us: Floats, now: int) -> tuple[Iterable[_Pmf], Sequence[int]]:
    """The distributions that are served, and what `us` (n,) choose from them: to the bit what `deciding` serves one by one."""
    raw = hosted.policy.pmf_many(batch.features, [actions for actions, _ in batch.offers])
    n_actions = _alike(hosted, batch)
    if n_actions is None:
        pmfs = [tuple(pmf) for pmf in _each(hosted, batch, raw, now)]
        return pmfs, [sample(pmf, u) for pmf, u in zip(pmfs, us.tolist(), strict=True)]
    limits = hosted.limits(batch.offers[0][0], now) if hosted.exposure is not None else None
    served = serve_rows(raw.reshape(-1, n_actions), floor=hosted.floor, limits=limits)
    return map(tuple, served.tolist()), sample_rows(served, us).tolist()


def _alike(hosted: Hosted, batch: Batch) -> int | None:
    """How many actions each is offered, where that is one number and nothing is particular about any of them."""
    if {request.explore for request in batch.requests} != {True} or any(excluded for _, excluded in batch.offers):
        return None
    distinct = {id(actions): actions for actions, _ in batch.offers}.values()
    sizes = {len(actions.ids) for actions in distinct}
    return sizes.pop() if len(sizes) == 1 and (hosted.exposure is None or len(distinct) == 1) else None


def _each(hosted: Hosted, batch: Batch, raw: Floats, now: int) -> Iterable[Sequence[float]]:
    bounds = accumulate((len(actions.ids) for actions, _ in batch.offers), initial=0)
    for (low, high), request, (actions, gone) in zip(pairwise(bounds), batch.requests, batch.offers, strict=True):
        limits = hosted.limits(actions, now)
        yield serve_pmf(raw[low:high].tolist(), floor=hosted.floor, excluded=gone, explore=request.explore, limits=limits)
