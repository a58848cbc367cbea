"""Off-policy estimators for rankings and slates: k actions shown together, a reward each. No reward model lives here.

What they assume of how rewards come about decides which weights an event needs, and fewer factors mean far less spread.

| | assumes that the reward of a position depends on | weight of position l |
|---|---|---|
| `joint_ips` | all positions | Π over all |
| `cascade_ips`, `cascade_dr` | what stands there and above (whoever reads from the top) | Π over 1…l |
| `independent_ips` | what stands there alone | of l alone |
| `pseudo_inverse` | nothing; but the reward of the whole is a sum over slots | 1 + Σ (w − 1), of the whole |

Each returns one score an event, for `normal` and the confidence sequences. Count what lower positions are worth into `reward`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats


@dataclass(frozen=True, slots=True)
class RankedSample:
    """n logged rankings of k positions (or slots) seen through the eyes of one target policy; arrays are (n, k), from the top.

    A ranking of fewer than k has probabilities of 1 and rewards of 0 at what is missing. Raises `InvalidInput` where shapes
    differ, a logged probability is not in (0, 1], a target's not in [0, 1], or a reward not finite.
    """

    logged: Floats
    """Probability of what was shown, given what was shown above."""
    target: Floats
    """The same under the target policy, given the same above."""
    reward: Floats
    logged_marginal: Floats | None = None
    """Probability of what was shown at its position, whatever stands above. Where slots are filled independently it is `logged`."""
    target_marginal: Floats | None = None

    def __post_init__(self) -> None:
        for name, values, least in (
            ("logged", self.logged, np.nextafter(0.0, 1.0)),
            ("target", self.target, 0.0),
            ("logged_marginal", self.logged_marginal, np.nextafter(0.0, 1.0)),
            ("target_marginal", self.target_marginal, 0.0),
        ):
            if values is not None:
                _check(name, values, self.reward, least, 1 + 1e-6)
        _check("reward", self.reward, self.reward, -np.finfo(np.float64).max, np.finfo(np.float64).max)

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def prefix_weight(self) -> Floats:
        """(n, k) importance weight of each position together with all above it."""
        return np.asarray(np.cumprod(self.target / self.logged, axis=1), dtype=np.float64)

    @property
    def marginal_weight(self) -> Floats:
        """(n, k) importance weight of each position alone. Raises `InvalidInput` without the marginal probabilities."""
        if self.logged_marginal is None or self.target_marginal is None:
            raise InvalidInput(
                "Expected each position's own probabilities, got only those given what stands above; cascade_ips needs no others",
                at="logged_marginal, target_marginal",
            )
        return self.target_marginal / self.logged_marginal


def joint_ips(events: RankedSample) -> Floats:
    """Π_l w_l · Σ_l r_l: plain IPS of the whole ranking. Unbiased whatever users do; hopeless beyond a few positions.

    >>> half, one = np.array([[0.5, 0.5]]), np.array([[1.0, 1.0]])
    >>> joint_ips(RankedSample(logged=half, target=one, reward=one))
    array([8.])
    """
    return np.asarray(events.prefix_weight[:, -1] * events.reward.sum(axis=1), dtype=np.float64)


def cascade_ips(events: RankedSample) -> Floats:
    """Σ_l Π_{j≤l} w_j · r_l, reward-interaction IPS (McInerney et al. 2020, "Counterfactual evaluation of slate recommendations").

    Unbiased where no reward depends on what stands below it.

    >>> half, one = np.array([[0.5, 0.5]]), np.array([[1.0, 1.0]])
    >>> cascade_ips(RankedSample(logged=half, target=one, reward=one))
    array([6.])
    """
    return np.asarray((events.prefix_weight * events.reward).sum(axis=1), dtype=np.float64)


def cascade_dr(events: RankedSample, direct: Floats, fitted: Floats) -> Floats:
    """Σ_l Π_{j≤l} w_j · (r_l − q_l) + Π_{j<l} w_j · v_l (Kiyohara et al. 2022, "Doubly robust off-policy evaluation for ranking
    policies under the cascade behavior model").

    q_l is what a model expects of position l **and all below**, given what was shown down to l: `fitted` (n, k). v_l is its mean
    over what the target policy would put at l, given what was shown above: `direct` (n, k). Unbiased where `cascade_ips` is, for
    any model that has not seen the event; zeros for both give `cascade_ips`.
    """
    weight = events.prefix_weight
    above = np.hstack([np.ones((len(events), 1)), weight[:, :-1]])
    return np.asarray((weight * (events.reward - fitted) + above * direct).sum(axis=1), dtype=np.float64)


def independent_ips(events: RankedSample) -> Floats:
    """Σ_l w_l · r_l with each position's own weight (Li et al. 2018, "Offline evaluation of ranking policies with click models").

    Unbiased where no reward depends on the other positions. Needs the marginal probabilities.
    """
    return np.asarray((events.marginal_weight * events.reward).sum(axis=1), dtype=np.float64)


def pseudo_inverse(events: RankedSample) -> Floats:
    """(1 + Σ_l (w_l − 1)) · Σ_l r_l (Swaminathan et al. 2017, "Off-policy evaluation for slate recommendation", section 3).

    Unbiased where both policies fill slots independently of each other and the reward of the whole is, in expectation, a sum of
    what each slot adds; which slot earned it need not be known. Needs the marginal probabilities.

    >>> half, one = np.array([[0.5, 0.5]]), np.array([[1.0, 1.0]])
    >>> pseudo_inverse(RankedSample(half, one, np.array([[0.0, 1.0]]), logged_marginal=half, target_marginal=one))
    array([3.])
    """
    return np.asarray((1 + (events.marginal_weight - 1).sum(axis=1)) * events.reward.sum(axis=1), dtype=np.float64)


def _check(name: str, values: Floats, like: Floats, least: float, most: float) -> None:
    if values.shape != like.shape or values.ndim != 2 or values.shape[1] == 0:
        raise InvalidInput(
            f"Expected a matrix of rankings by positions like the rewards, {like.shape}, got {values.shape}", at=name
        )
    wrong = ~((values >= least) & (values <= most))
    if wrong.any():
        row, position = (int(index) for index in np.argwhere(wrong)[0])
        bounds = "a finite number" if most > 2 else "a probability above 0" if least > 0 else "a probability"
        raise InvalidInput(f"Expected {bounds}, got {values[row, position]:g}", at=f"{name}[{row}][{position}]")
