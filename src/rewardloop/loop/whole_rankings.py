"""Held-out decisions over several slots as each policy would have filled them, for the estimates of whole rankings.

What a policy puts at a slot is asked as serving asks it (`filling`): given what was logged above, over what was left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rewardloop.evaluation.ranked_groups import Rankings, group, stretches
from rewardloop.evaluation.ranked_report import RankedReport, ranked_report
from rewardloop.events import Decision
from rewardloop.features import ActionSet, parse_actions, parse_context
from rewardloop.ids import part_of
from rewardloop.interactions import Floats, Interactions
from rewardloop.lake import DataSet
from rewardloop.policies.contract import Policy
from rewardloop.policies.exploration import serve_pmf
from rewardloop.policies.exposure import Exposure
from rewardloop.settings import ExperimentSettings

Served = Callable[[Policy, Interactions], Floats]
"""(Σ K_i,) what a policy would have served to ordinary decisions."""


def whole_rankings(
    settings: ExperimentSettings, data: DataSet, events: Interactions, policies: Mapping[str, Policy], served: Served
) -> RankedReport | None:
    """The estimates of whole rankings, by policy, `candidate` first; None where no decision of `events` has several slots."""
    ids = sorted({part.event_id for part in map(part_of, events.event_ids) if part.slot})
    if not ids:
        return None
    wholes = data.wholes(ids)
    groups, n_incomplete = group(events, wholes)
    pmfs = {name: served(policy, events) for name, policy in policies.items()}
    if settings.draws == "once":
        for name, policy in policies.items():
            for each in groups:
                if each.kind == "ranking":
                    _draw_once(settings, policy, events, each, wholes, pmfs[name])
    return ranked_report(events, groups, n_incomplete, pmfs, level=settings.gate.level, seed=settings.training.seed)


def _draw_once(  # noqa: PLR0917 - what serving goes by, and what is overwritten
    settings: ExperimentSettings,
    policy: Policy,
    events: Interactions,
    rankings: Rankings,
    wholes: Mapping[str, Decision],
    flat: Floats,
) -> None:
    """Overwrites `flat` (Σ K_i,): each position draws from what is left of one distribution, renormalised."""
    exposure, sets = Exposure.of(settings), dict[bytes, ActionSet]()
    for event_id, rows in zip(rankings.event_ids, rankings.rows, strict=True):
        decision = wholes[event_id]
        offered = sets.setdefault(decision.actions, parse_actions(decision.actions))
        limits = exposure and exposure.limits(offered.ids, decision.decided_at)
        raw = policy.pmf(parse_context(decision.context), offered)
        once = serve_pmf(raw, floor=settings.policy.floor, excluded=decision.excluded, limits=limits)
        place = {action: i for i, action in enumerate(offered.ids)}
        for row, stretch in zip(rows.tolist(), stretches(events, rows), strict=False):
            flat[stretch] = _rest(once, [place[action] for action in events.actions[row].ids])


def _rest(once: Sequence[float], left: Sequence[int]) -> Floats:
    return np.array(serve_pmf([once[i] for i in left], floor=0.0))
