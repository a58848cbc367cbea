"""Has the world changed? Asked at every training, kept with the model's metrics, and said by `run` and `status` in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as replaced
from typing import Final, Protocol, runtime_checkable

from msgspec.structs import replace

from rewardloop.actions import ActionSet
from rewardloop.evaluation import GateReport
from rewardloop.evaluation.diagnostics.drift import context_drift, reward_drift
from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet
from rewardloop.policies.contract import Policy

LOOKED_AT: Final = 5_000
"""The newest held-out events; their older half is compared with their newer."""
OFFERED_AT_ONCE = 100_000
CONTEXT, REWARD, RESTARTS, BEFORE = "context_drift", "reward_drift", "n_restarts", "n_restarts_before"


@runtime_checkable
class _Forgetting(Protocol):
    """A policy that forgets by itself, as the native engine does."""

    @property
    def n_restarts(self) -> int: ...

    @property
    def n_since_change(self) -> int | None: ...


def restarts(policy: Policy | None) -> int:
    """How often it has forgotten the past."""
    return policy.n_restarts if isinstance(policy, _Forgetting) else 0


def n_evidence(policy: Policy, ratio: float) -> int | None:
    """How many of the newest held-out events are of the world as the policy knows it; None: all.

    What it forgot speaks for a policy of a world that is gone: a gate that listened would keep that policy.
    """
    n = policy.n_since_change if isinstance(policy, _Forgetting) else None
    return None if n is None else max(1, round(n * (1.0 - ratio) / ratio))


def excused(report: GateReport) -> GateReport:
    """Under `no_harm`, want of evidence is no reason to go on serving what was learned in a world that is gone.

    Call it where the candidate forgot what the hosted policy goes by: there the log has no support for exploring again.
    """
    harmed = any(rule.name.startswith("guardrail ") and not rule.passed and rule.otherwise == "keep" for rule in report.rules)
    if harmed or report.rule != "no_harm" or report.verdict not in ("insufficient_support", "insufficient_data"):
        return report
    summary = f"Promote: the world changed, the candidate forgot the past and explores again. ({report.summary})"
    return replace(report, verdict="promote", summary=summary)


def drift_metrics(data: DataSet, ratio: float, before: int, after: int) -> dict[str, float]:
    """1 for each alarm, 0 where none; and how often the policy had forgotten before and after this training."""
    held_out = data.interactions(after=0, until=data.watermark, split="eval", ratio=ratio, newest=LOOKED_AT, offers=OFFERED_AT_ONCE)
    newest = Interactions.concatenated([_named(events) for events in held_out])
    findings = {CONTEXT: context_drift(newest), REWARD: reward_drift(newest)}
    alarms = {name: float(finding.severity == "warning") for name, finding in findings.items()}
    return {**alarms, BEFORE: float(before), RESTARTS: float(after)}


def _named(events: Interactions) -> Interactions:
    """With actions' ids, and without their features: of wide offers those are most of the memory."""
    known = {id(offered): ActionSet(offered.ids, None, b"") for offered in events.actions}
    return replaced(events, actions=[known[id(offered)] for offered in events.actions])


def drift_told(metrics: Mapping[str, float]) -> str:
    """What a model's metrics say of a change; empty where nothing changed.

    >>> drift_told({"context_drift": 0.0, "reward_drift": 1.0})
    'the reward of an action moved between the older and the newer half of the newest held-out events; `doctor` says more'
    >>> drift_told({"n_restarts_before": 1.0, "n_restarts": 2.0})
    'the model forgot the past and explores again, because the recent past alone predicted better'
    """
    moved = [word for word, name in (("the reward of an action", REWARD), ("a feature", CONTEXT)) if metrics.get(name)]
    told = []
    if metrics.get(RESTARTS, 0) > metrics.get(BEFORE, 0):
        told.append("the model forgot the past and explores again, because the recent past alone predicted better")
    if moved:
        halves = "between the older and the newer half of the newest held-out events; `doctor` says more"
        told.append(f"{' and '.join(moved)} moved {halves}")
    return ", and ".join(told)
