"""From logged decisions with several slots to a `RankedSample`. No estimator lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.rankings.estimators import RankedSample
from rewardloop.events import Decision

Conditional = Callable[[Decision, int], Sequence[float]]
"""What a policy would put at a position (0: the top) of a logged decision, given what was logged above it: a probability for every
offered action, 0 for those taken."""


def ranked_sample(decisions: Sequence[Decision], rewards: Sequence[Mapping[str, float]], target: Conditional) -> RankedSample:
    """The slots of each decision from the first, its rewards by slot id (0 where there is none), and the target's view of them.

    Where every slot has actions of its own (a slate), they are filled independently, and the sample has its marginal
    probabilities too. Shorter rankings are filled up. Raises `InvalidInput` for a decision without slots, a reward of a slot it
    does not have, or a target that says nothing of what was shown.
    """
    k = max((len(decision.slots) for decision in decisions), default=1)
    logged, aimed, reward = np.ones((len(decisions), k)), np.ones((len(decisions), k)), np.zeros((len(decisions), k))
    for row, (decision, earned) in enumerate(zip(decisions, rewards, strict=True)):
        _check(decision, earned, f"decisions[{row}]")
        for position, choice in enumerate(decision.slots):
            logged[row, position] = choice.probability
            aimed[row, position] = _probability(target(decision, position), choice.action, f"target of `{decision.event_id}`")
            reward[row, position] = earned.get(choice.slot, 0.0)
    apart = all(choice.actions for decision in decisions for choice in decision.slots)
    return RankedSample(logged, aimed, reward, *((logged, aimed) if apart else (None, None)))


def without_replacement(pmf: Callable[[Decision], Sequence[float]]) -> Conditional:
    """A policy that draws each position from what is left of one distribution over the offered actions (Plackett–Luce).

    >>> from rewardloop.events import Choice
    >>> above = Choice("1", 0, 0.5, (0.5, 0.3, 0.2))
    >>> two = Decision("e", "x", "x.0", 0, b"{}", b"[]", (0.5, 0.3, 0.2), 0, 0.5, 0, 0.5, slots=(above, above))
    >>> without_replacement(lambda decision: decision.pmf)(two, 1)
    [0.0, 0.6, 0.4]
    """

    def conditional(decision: Decision, position: int) -> list[float]:
        left = np.array(pmf(decision), dtype=np.float64)
        left[[choice.action for choice in decision.slots[:position]]] = 0.0
        total = float(left.sum())
        return [float(x) for x in (left / total if total > 0 else left)]

    return conditional


def _check(decision: Decision, earned: Mapping[str, float], at: str) -> None:
    slots = {choice.slot for choice in decision.slots}
    if not slots:
        raise InvalidInput(f"Expected decisions with slots, got `{decision.event_id}` with a single action", at=at)
    if unknown := sorted(earned.keys() - slots):
        raise InvalidInput(f"Expected rewards of its slots {', '.join(sorted(slots))}, got one of `{unknown[0]}`", at=at)


def _probability(pmf: Sequence[float], action: int, at: str) -> float:
    if not 0 <= action < len(pmf):
        raise InvalidInput(f"Expected a probability for each offered action, got {len(pmf)}", at=at)
    return float(pmf[action])
