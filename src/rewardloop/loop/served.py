"""What a policy would have served to logged events, for evaluation: the floor, bounds of exposure, and how rankings are drawn.

Of many events at once; `deciding` and `filling` do the same for one decision as it is made. Estimates live elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.evaluation.rankings.groups import kind_of
from rewardloop.events import Decision
from rewardloop.features import parse_context
from rewardloop.ids import part_of
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.contract import Policy
from rewardloop.policies.exploration import serve_pmf, serve_pmf_many
from rewardloop.policies.exposure import Exposure
from rewardloop.settings import ExperimentSettings

Wholes = Callable[[Sequence[str]], Mapping[str, Decision]]
"""The decisions over several slots among these event ids, as they were logged."""


def served(settings: ExperimentSettings, wholes: Wholes, policy: Policy, interactions: Interactions) -> Floats:
    """(Σ K_i,) the distribution that would have been served: the policy's, with the platform's floor.

    `wholes` finds the rankings that slots belong to, whose positions may all be drawn from one distribution.
    """
    if not len(interactions):
        return np.empty(0)
    raw = policy.pmf_many(interactions.contexts, interactions.actions)
    exposure = Exposure.of(settings)
    limits = None
    if exposure is not None:
        offered = zip(interactions.actions, interactions.closed_at.tolist(), strict=True)
        limits = [exposure.limits(actions.ids, at) for actions, at in offered]
    pmf = serve_pmf_many(raw, interactions.offsets, settings.policy.floor, limits=limits)
    if settings.draws == "once":
        _draw_once(settings, policy, interactions, wholes, pmf)
    return pmf


def _draw_once(settings: ExperimentSettings, policy: Policy, events: Interactions, wholes: Wholes, flat: Floats) -> None:
    """Overwrites those of `flat` (Σ K_i,) that are positions of rankings: each draws from what is left of one distribution.

    Slots with features are asked one by one however rankings are drawn, and stay as they are.
    """
    rows: dict[str, list[int]] = {}
    for row, part in enumerate(map(part_of, events.event_ids)):
        if part.slot:
            rows.setdefault(part.event_id, []).append(row)
    whole = wholes(sorted(rows)) if rows else {}
    ranked = [decision for event_id in rows if (decision := whole.get(event_id)) is not None and kind_of(decision) == "ranking"]
    for decision, (offered, once) in zip(ranked, _once(settings, policy, ranked), strict=True):
        place = {action: i for i, action in enumerate(offered.ids)}
        for row in rows[decision.event_id]:
            left = [once[place[action]] for action in events.actions[row].ids]
            flat[int(events.offsets[row]) : int(events.offsets[row + 1])] = serve_pmf(left, floor=0.0)


def _once(settings: ExperimentSettings, policy: Policy, decisions: Sequence[Decision]) -> list[tuple[ActionSet, Sequence[float]]]:
    """What each offered, and the distribution over all of it, floor and exclusions included."""
    if not decisions:
        return []
    exposure, sets = Exposure.of(settings), dict[bytes, ActionSet]()
    offered = [sets.setdefault(decision.actions, parse_actions(decision.actions)) for decision in decisions]
    raw = policy.pmf_many([parse_context(decision.context) for decision in decisions], offered)
    parts = np.split(raw, np.cumsum([len(actions) for actions in offered])[:-1])
    return [
        (
            actions,
            serve_pmf(
                part.tolist(),
                floor=settings.policy.floor,
                excluded=decision.excluded,
                limits=exposure and exposure.limits(actions.ids, decision.decided_at),
            ),
        )
        for decision, actions, part in zip(decisions, offered, parts, strict=True)
    ]
