"""A challenger beside the champion, in memory: which of the two makes a decision. What each of them cost is in `trial_counts`.

The variant's draw is a function of the experiment, the challenger and a key (the event's id, or the value of a feature), so
every worker gives one key one variant, before and after a restart, and it is independent of the draws that choose the action
and the training share.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

from rewardloop.actions import ActionSet
from rewardloop.clock import Clock
from rewardloop.deciding.trial_counts import TrialCounts
from rewardloop.errors import InvalidInput
from rewardloop.features import Features
from rewardloop.policies.contract import Policy
from rewardloop.policies.exploration import serve_pmf
from rewardloop.policies.exposure import Exposure
from rewardloop.registry.pointer import Challenger
from rewardloop.settings import Draws

CHAMPION, CHALLENGER, FALLBACK = "champion", "challenger", "fallback"
"""`Decision.variant`. fallback: it was the challenger's turn, which failed, and the champion decided."""

Pmf = tuple[float, ...]
T = TypeVar("T")

_TO_UNIT = 1.0 / (1 << 64)


def variant_draw(experiment: str, challenger: str, key: str) -> float:
    """The U[0, 1) number below which the challenger's share lies; a share that grows keeps those it had.

    >>> variant_draw("offers", "offers.2", "user-7") == variant_draw("offers", "offers.2", "user-7")
    True
    """
    text = f"{experiment}\0{challenger}\0{key}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8, person=b"variant").digest()) * _TO_UNIT


class Asked(NamedTuple):
    """What a model is asked to score."""

    event_id: str
    context: Features
    actions: ActionSet
    excluded: tuple[int, ...]
    explore: bool
    at: int = 0
    """Microseconds UTC."""
    sticky: str = ""
    """What the variant follows, where the client says so."""


class Scorer(NamedTuple):
    """A model in memory, and the floor that it was trained to be served with."""

    model_id: str
    policy: Policy
    floor: float
    draws: Draws = "each"
    """How rankings are drawn."""
    exposure: Exposure | None = None

    def pmf(self, asked: Asked) -> tuple[float, ...]:
        raw = self.policy.pmf(asked.context, asked.actions)
        limits = self.exposure and self.exposure.limits(asked.actions.ids, asked.at)
        return tuple(serve_pmf(raw, floor=self.floor, excluded=asked.excluded, explore=asked.explore, limits=limits))


class Served(NamedTuple):
    """The distribution that a decision is sampled from, and whose it is."""

    model_id: str
    variant: str
    pmf: tuple[float, ...]


class Answered(NamedTuple, Generic[T]):
    """Which model decided, as which variant, and what it said."""

    model_id: str
    variant: str
    answer: T


class Likeness(NamedTuple):
    """How near the challenger's answer to a request is to what was served."""

    distance: float
    """Total variation between the two distributions."""
    agrees: bool
    """Whether both have the same likeliest action."""


def alike(served: Pmf, other: Pmf) -> Likeness:
    """Of two distributions over the same arms.

    >>> alike((0.75, 0.25), (0.25, 0.75))
    Likeness(distance=0.5, agrees=False)
    """
    distance = sum(abs(p - q) for p, q in zip(other, served, strict=True)) / 2
    return Likeness(distance, other.index(max(other)) == served.index(max(served)))


class Trial:
    """One challenger on trial in this process. A challenger that fails never fails a request."""

    def __init__(self, experiment: str, setup: Challenger, challenger: Scorer, counts: TrialCounts, clock: Clock) -> None:
        self.setup = setup
        self.challenger = challenger
        self.counts = counts
        self._experiment = experiment
        self._clock = clock

    def serve(self, champion: Scorer, asked: Asked) -> Served:
        """The champion's distribution, or, where it is its turn, the challenger's."""
        key = self.key(asked.context, asked.event_id, asked.sticky)
        return Served(*self.tried(champion, key, lambda model: model.pmf(asked), alike))

    def key(self, context: Features, event_id: str, asked: str) -> str:
        return sticky_key(context, self.setup.sticky, event_id, asked)

    def tried(self, champion: Scorer, key: str, ask: Callable[[Scorer], T], compare: Callable[[T, T], Likeness]) -> Answered[T]:
        """What `ask` gets of the model whose turn it is; a shadow compares what was served with its own."""
        draw = variant_draw(self._experiment, self.setup.model_id, key)
        if draw < self.setup.share:
            answer = self._attempt(ask)
            if answer is not None:
                return Answered(self.challenger.model_id, CHALLENGER, answer)
            return Answered(champion.model_id, FALLBACK, ask(champion))
        started = self._clock.now()
        answer = ask(champion)
        self.counts.champion.add(self._clock.now() - started)
        if not self.setup.share and draw < self.setup.scored:
            other = self._attempt(ask)
            if other is not None:
                self._count(compare(answer, other))
        return Answered(champion.model_id, CHAMPION, answer)

    def _count(self, found: Likeness) -> None:
        self.counts.distance.add(found.distance)
        self.counts.agreed += found.agrees

    def _attempt(self, ask: Callable[[Scorer], T]) -> T | None:
        started = self._clock.now()
        try:
            answer = ask(self.challenger)
        except InvalidInput:  # The client's own mistake, which the champion refuses as well.
            return None
        except Exception as error:  # Whatever a model on trial does, the request is answered.
            self.counts.failed(error)
            return None
        finally:
            self.counts.challenger.add(self._clock.now() - started)
        return answer


def sticky_key(context: Features, sticky: str, event_id: str, asked: str = "") -> str:
    """What the variant follows: what the client asked for, else the value of the sticky feature where the context has it, else
    the event itself.

    >>> sticky_key({"user.id": 7, "age": 31}, "user.id", "order-17"), sticky_key({"age": 31}, "user.id", "order-17")
    ('user.id=7.0', 'order-17')
    >>> sticky_key({"user.id": 7}, "user.id", "order-17", asked="household-3")
    'sticky=household-3'
    """
    if asked:
        return f"sticky={asked}"
    value = context.get(sticky) if sticky else None
    if value is None:
        return event_id
    # A number is one float or int, depending on whether other features are nested: both are one key.
    return f"{sticky}={value if isinstance(value, str) else float(value)}"
