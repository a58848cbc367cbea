"""What the log holds: decisions, rewards, activations. Frozen; a field is only ever added at the end, with a default."""

from __future__ import annotations

import msgspec

MAX_EVENT_ID = 256
MAX_ACTIONS = 1_000


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
    seed: int
    sample_prob: float
    excluded: tuple[int, ...] = ()
    explore: bool = True
    deferred: bool = False
    """A deferred event counts only once it is activated."""
    variant: str = "champion"


class Reward(msgspec.Struct, frozen=True, array_like=True, tag="r", gc=False):
    event_id: str
    experiment: str
    reward: float
    rewarded_at: int
    """Microseconds UTC, when it was received."""
    reward_id: str = ""
    """The client's idempotency key: the same key for the same event counts once. Empty: every reward counts."""
    final: bool = False
    """Closes the event: no later reward counts."""


class Activation(msgspec.Struct, frozen=True, array_like=True, tag="a", gc=False):
    event_id: str
    experiment: str
    activated_at: int


Record = Decision | Reward | Activation
