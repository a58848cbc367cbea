"""Explanations of what was served: what each feature is worth to a policy, and why one decision was made. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.deciding.hosted import Hosted
from rewardloop.errors import Conflict
from rewardloop.evaluation import By, Contributions, DecisionReport, PolicyReport, Typical, contributions, importance, typical
from rewardloop.evaluation.documents.explained import decision_summary, policy_summary
from rewardloop.events import Decision
from rewardloop.features import Features, parse_context
from rewardloop.interactions import Floats, Ints
from rewardloop.lake import DataSet
from rewardloop.policies.exploration import serve_pmf, serve_pmf_many
from rewardloop.settings import ExperimentSettings

EVENTS = 2_000
"""Held-out events that importance is found on, and events that say what is typical."""
MAX_EVENTS = 20_000
"""That may be asked for."""


def explain_policy(
    settings: ExperimentSettings,
    model: Hosted,
    data: DataSet,
    *,
    events: int,
    by: By,
    after: int = -1,
    until: int | None = None,
) -> PolicyReport:
    """On the newest `events` that no model was trained on, of those closed in (after, until].

    Raises `InvalidInput` where there are fewer than two.
    """
    ratio = settings.training.ratio
    batches = data.interactions(after=after, until=until, split="eval", ratio=ratio, newest=events, batch=events)
    held_out = next(iter(batches), None)
    if held_out is None:
        raise Conflict(f"Expected held-out events in experiment `{settings.experiment}`, found none; `join` looks for more")

    def serve(contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        limits = [model.limits(offered, data.watermark) for offered in actions] if model.exposure is not None else None
        return serve_pmf_many(model.policy.pmf_many(contexts, actions), _offsets(actions), model.floor, limits=limits)

    seed = settings.training.seed
    found = importance(held_out, serve, level=settings.gate.level, seed=seed, by=by)
    return PolicyReport(
        summary=policy_summary(model.model_id, found),
        experiment=settings.experiment,
        model_id=model.model_id,
        dataset=data.fingerprint,
        watermark=data.watermark,
        by=by,
        seed=seed,
        importance=found,
    )


def explain_decision(settings: ExperimentSettings, model: Hosted, decision: Decision, data: DataSet) -> DecisionReport:
    """A logged decision, by the model that made it; what is typical is said by 2,000 events of the data set."""
    events = data.sample(EVENTS, seed=settings.training.seed)
    if not len(events):
        raise Conflict(
            f"Expected joined events in experiment `{settings.experiment}` to say what is typical, found none; `join` first"
        )
    found = _contributions(decision, model, typical(events.contexts, events.actions))
    return DecisionReport(
        summary=decision_summary(found),
        experiment=settings.experiment,
        model_id=model.model_id,
        event_id=decision.event_id,
        decided_at=decision.decided_at,
        dataset=data.fingerprint,
        n_typical=len(events),
        contributions=found,
    )


def _contributions(decision: Decision, model: Hosted, usual: Typical) -> Contributions:
    def serve(context: Features, actions: ActionSet) -> Sequence[float]:
        raw = model.policy.pmf(context, actions)
        limits = model.limits(actions, decision.decided_at)
        return serve_pmf(raw, floor=model.floor, excluded=decision.excluded, explore=decision.explore, limits=limits)

    return contributions(parse_context(decision.context), parse_actions(decision.actions), decision.action, usual, serve)


def _offsets(actions: Sequence[ActionSet]) -> Ints:
    return np.concatenate([[0], np.cumsum([len(offered) for offered in actions])]).astype(np.int64)
