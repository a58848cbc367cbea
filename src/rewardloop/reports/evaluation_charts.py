"""Which charts an evaluation has, and what they are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rewardloop.charts import Chart, convergence, forest_plot, weight_tail
from rewardloop.evaluation import Estimate, EvaluationReport


class Drawn(NamedTuple):
    """By what they show; each empty where nothing could be estimated."""

    forest: list[Chart]
    convergence: list[Chart]
    tail: list[Chart]


def charts(report: EvaluationReport) -> Drawn:
    """The charts of a report, in the order they are read."""
    return Drawn(list(_forests(report)), list(_curves(report)), list(_tails(report)))


def difference_name(report: EvaluationReport) -> str:
    """What the paired difference is of."""
    return f"candidate − {report.gate.other}"


def shown(report: EvaluationReport, policy: str) -> str:
    """What a policy is called: `before` is what was hosted before a candidate that is hosted already.

    `hosted` and every other name as they are, where the candidate is not.
    """
    return report.gate.other if policy == "hosted" else policy


def _forests(report: EvaluationReport) -> Iterator[Chart]:
    named = {shown(report, policy): estimates for policy, estimates in report.estimates.items()}
    rows = {f"{policy} · {name}": (policy, found) for policy, each in named.items() for name, found in each.items()}
    if rows:
        groups: dict[str, str] = {label: policy for label, (policy, _) in rows.items()}
        estimates: dict[str, Estimate] = {label: found for label, (_, found) in rows.items()}
        yield forest_plot(estimates, title="What each policy earns a decision, by every estimator", groups=groups)
    if report.difference:
        label = f"{difference_name(report)} · {report.estimator}"
        yield forest_plot({label: report.difference}, title="The difference, event by event", reference=0, unit="difference")


def _curves(report: EvaluationReport) -> Iterator[Chart]:
    policies = {shown(report, name): curve for name, curve in report.convergence.items() if name != "difference"}
    if policies:
        yield convergence(policies, title=f"Mean reward as events came in ({report.estimator})")
        curve = {difference_name(report): report.convergence["difference"]}
        yield convergence(curve, title="The difference as events came in", unit="difference", reference=0)


def _tails(report: EvaluationReport) -> Iterator[Chart]:
    tails = {shown(report, policy): points for policy, points in report.weights.items() if points}
    if tails:
        yield weight_tail(tails, title="Tail of the importance weights")
