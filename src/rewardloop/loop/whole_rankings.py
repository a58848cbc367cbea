"""Held-out decisions over several slots as each policy would have filled them, for the estimates of whole rankings.

What a policy puts at a slot is asked as serving asks it (`filling`): given what was logged above, over what was left.
"""

from __future__ import annotations

from collections.abc import Mapping

from rewardloop.evaluation.rankings.groups import group
from rewardloop.evaluation.rankings.report import RankedReport, ranked_report
from rewardloop.ids import part_of
from rewardloop.interactions import Interactions
from rewardloop.loop.served import Wholes, served
from rewardloop.policies.contract import Policy
from rewardloop.settings import ExperimentSettings


def whole_rankings(
    settings: ExperimentSettings, wholes: Wholes, events: Interactions, policies: Mapping[str, Policy]
) -> RankedReport | None:
    """The estimates of whole rankings, by policy, `candidate` first; None where no decision of `events` has several slots."""
    ids = sorted({part.event_id for part in map(part_of, events.event_ids) if part.slot})
    if not ids:
        return None
    groups, n_incomplete = group(events, wholes(ids))
    pmfs = {name: served(settings, wholes, policy, events) for name, policy in policies.items()}
    return ranked_report(events, groups, n_incomplete, pmfs, level=settings.gate.level, seed=settings.training.seed)
