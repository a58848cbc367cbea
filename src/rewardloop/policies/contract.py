"""The contract of a policy. Its laws are tested by `rewardloop.testing.policy.PolicyContract`: subclass it to test your own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions


class Policy(Protocol):
    """Maps a context and the actions on offer to a distribution over those actions. K is their number.

    Laws
    - `pmf(context, actions)` has one number an action, each ≥ 0 (to rounding), sum 1 ± 1e-6: a fresh policy included. It
      changes nothing observable: the same call again gives the same bits. Exploration floor and exclusions are *not* its
      business: the platform applies them in one place (`policies.exploration`).
    - `pmf_many` equals `pmf` row by row within 1e-9, flat (Σ K_i,), in the order given.
    - `learn` takes interactions in the order given and is deterministic: same policy, same interactions, same bits after.
    - `save` writes plain files (never pickle) into an existing empty directory; `load` of that directory gives the same pmf
      within 1e-6 and learns on from where it stood. `load` raises `CorruptModel` for anything else.
    - No network, no clock, no randomness but the seed it was made with.
    """

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        """(K,) the probability of each action, in the order of `actions`."""
        ...

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        """(Σ K_i,) the distributions of many events, one after the other."""
        ...

    def learn(self, interactions: Interactions) -> None:
        """Learn from logged decisions and their rewards (higher is better)."""
        ...

    def save(self, directory: Path) -> None:
        """Write everything that `load` needs into an empty directory."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Self:
        """The policy that was saved there. Raises `CorruptModel`."""
        ...


def one_by_one(policy: Policy, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
    """`pmf_many` of a policy that has no faster way."""
    rows = [policy.pmf(context, offered) for context, offered in zip(contexts, actions, strict=True)]
    return np.concatenate([np.empty(0), *rows])


def gains_by_batches(policy: Policy) -> bool:
    """Whether it asks for `pmf_many` rather than `pmf` where requests arrive together, by an attribute of this name that is True.

    Such a `pmf_many` costs less, and its rows are those of `pmf` to the bit: what was decided together is replayed one by one.
    """
    return getattr(policy, "gains_by_batches", False) is True
