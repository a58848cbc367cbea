"""What is to be evaluated, as numbers at every logged step: a distribution over arms, or a density over a box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential.trajectories import Trajectories
from rewardloop.interactions import Floats


@dataclass(frozen=True, slots=True)
class Densities:
    """A target policy over continuous actions."""

    logged: Floats
    """(N,) its density at what was done."""
    drawn: Floats
    """(N, M, d) actions drawn from it at each logged state, by which a model's Q becomes its V."""


def likelihood(trajectories: Trajectories, target: Floats | Densities) -> Floats:
    """(N,) the target's probability, or density, of what was done. Raises `InvalidInput` where the target is none."""
    return _of_box(trajectories, target) if isinstance(target, Densities) else _of_arms(trajectories, target)


def _of_arms(trajectories: Trajectories, target: Floats) -> Floats:
    n, last = trajectories.n_steps, int(trajectories.action.max()) if trajectories.is_discrete else 0
    if not trajectories.is_discrete:
        raise InvalidInput("Expected densities of the target (`Densities`): these episodes hold continuous actions", at="$.target")
    if target.ndim != 2 or len(target) != n or last >= target.shape[1]:
        raise InvalidInput(
            f"Expected the target's probabilities in shape ({n}, more than {last}), got {target.shape}", at="$.target"
        )
    wrong = ~np.isfinite(target).all(axis=1) | (np.abs(target.sum(axis=1) - 1) > 1e-6) | (target < 0).any(axis=1)
    if wrong.any():
        raise InvalidInput("Expected probabilities that sum to 1", at=f"$.target[{int(wrong.argmax())}]")
    taken: Floats = target[np.arange(n), trajectories.action]
    return taken


def _of_box(trajectories: Trajectories, target: Densities) -> Floats:
    n = trajectories.n_steps
    if trajectories.is_discrete:
        raise InvalidInput("Expected the target's probabilities (N, K): the actions of these episodes are numbered", at="$.target")
    wanted = (n, trajectories.values.shape[1])
    if target.drawn.ndim != 3 or (target.drawn.shape[0], target.drawn.shape[2]) != wanted or not target.drawn.shape[1]:
        raise InvalidInput(f"Expected draws in shape ({n}, M, {wanted[1]}), got {target.drawn.shape}", at="$.target.drawn")
    wrong = ~(np.isfinite(target.logged) & (target.logged >= 0))
    if target.logged.shape != (n,) or wrong.any():
        raise InvalidInput(f"Expected {n} densities, finite and not negative", at=f"$.target.logged[{int(wrong.argmax())}]")
    return target.logged
