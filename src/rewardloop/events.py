"""What the log holds: decisions, rewards, activations. Frozen; a field is only ever added at the end, with a default."""

from __future__ import annotations

from math import prod

import msgspec

MAX_EVENT_ID = 256
MAX_STICKY = 256
MAX_ACTIONS = 1_000
"""Fixed arms of an experiment."""
MAX_CANDIDATES = 10_000
"""Actions that a request offers."""
APPRENTICE, LOGGING_ONLY = "apprentice", "logging_only"
"""What `Decision.variant` begins with where the baseline decided; `:NAME` follows where it has a name."""
MAX_SLOTS = 100
MAX_METRICS = 8
"""Further numbers that a reward may carry."""

Metrics = tuple[tuple[str, float], ...]
"""Names and values, in order of the names."""


class Choice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One slot of a decision that fills several: a position of a ranking, or a slot with features of its own.

    Slots are filled from the first to the last, and what one took is excluded from those below it: `pmf` and `probability`
    are conditional on the choices above, so their product is the probability of the whole.
    """

    slot: str
    """The client's id of the slot; `1`, `2`, … for the positions of a ranking."""
    action: int
    """Index among the event's offered actions, from 0."""
    probability: float
    pmf: tuple[float, ...]
    """Over all offered actions; 0 for those excluded or taken above."""
    features: bytes = b""
    """The slot's features as the client's JSON object, verbatim, `{}` where it named none; empty: a position of a ranking."""
    excluded: tuple[int, ...] = ()
    """What this slot alone must not take."""
    actions: bytes = b""
    """The actions of this slot alone (a slate), as JSON, verbatim; empty where the slots share those of the event."""
    baseline: str = ""
    """The action that this slot's baseline is; empty: the experiment's."""


class Decision(msgspec.Struct, frozen=True, array_like=True, tag="d", gc=False):
    """One decision as it was made. `probability` is `pmf[action]`, the number the action was sampled with, by construction."""

    event_id: str
    experiment: str
    model_id: str
    decided_at: int
    """Microseconds UTC."""
    context: bytes
    """The client's JSON object, verbatim."""
    actions: bytes
    """The offered actions as JSON, verbatim: `["a", "b"]`, or `[{"id": "a", "features": {…}}, …]`."""
    pmf: tuple[float, ...]
    """The whole distribution over the offered actions, exploration floor and exclusions included. Sums to 1."""
    action: int
    """Index of the chosen action among the offered ones, from 0."""
    probability: float
    """P(this action) when it was chosen."""
    seed: int
    """64 bits, from which the action was drawn: `ids.uniform(seed)` is the number in [0, 1)."""
    sample_prob: float
    """Uniform on [0, 1): at most `training.ratio`, and models are trained on the event; otherwise they are judged on it."""
    excluded: tuple[int, ...] = ()
    """Indices of offered actions that the request excluded; their probability is 0."""
    explore: bool = True
    """False: the most probable action was asked for, without exploration."""
    deferred: bool = False
    """A deferred event counts only once it is activated."""
    variant: str = "champion"
    """Who decided: `champion`, `challenger`, `fallback` (the champion for a challenger that failed), or the baseline."""
    slots: tuple[Choice, ...] = ()
    """Where several slots are filled: each of them. `action`, `pmf` and `probability` are then those of the first."""
    values: tuple[float, ...] = ()
    """Where the action is continuous: what was chosen. `actions` then describes the range and `pmf` is over its cells."""
    density: float = 0.0
    """Where the action is continuous: the density that `values` was sampled with; infinite where they were not sampled."""
    sticky: str = ""
    """What the client wants the variant of a trial to follow, such as its user's id; empty: nothing."""

    @property
    def joint_probability(self) -> float:
        """P(everything that was chosen): the product over the slots, or `probability` where there are none."""
        return prod(choice.probability for choice in self.slots) if self.slots else self.probability


class Reward(msgspec.Struct, frozen=True, array_like=True, tag="r", gc=False):
    """What a decision turned out to be worth, as it was received. Which rewards count is for the join to say."""

    event_id: str
    """Of the decision."""
    experiment: str
    reward: float
    """Finite; the higher, the better."""
    rewarded_at: int
    """Microseconds UTC, when it was received."""
    reward_id: str = ""
    """The client's idempotency key: the same key for the same event counts once. Empty: every reward counts."""
    final: bool = False
    """Closes the event: no later reward counts."""
    slot: str = ""
    """The slot it is for. Empty: the event as a whole, which is each of its slots."""
    metrics: Metrics = ()
    """What else was measured: cost, latency. For guardrails; nothing learns from it."""


class Activation(msgspec.Struct, frozen=True, array_like=True, tag="a", gc=False):
    """Lets a deferred decision count: it was shown to somebody after all."""

    event_id: str
    experiment: str
    activated_at: int
    """Microseconds UTC."""


Record = Decision | Reward | Activation
