"""The sentences of an evaluation, for somebody who has to decide and has never met an estimator."""

from __future__ import annotations

from rewardloop.evaluation import Estimate, EvaluationReport

FOREST = (
    "Each row is one way to compute the same number from the log: the point is its answer, the line is where the truth may lie. "
    "Where the rows of one policy overlap, the answer does not hang on the method. One is apart: `dm` believes a model of the "
    "rewards, and its line does not know how wrong that model is."
)
CONVERGENCE = (
    "The same estimates with only the first events, then with more. A line that has been level for long has settled; one that "
    "still climbs or falls says that more events may change the answer."
)
TAIL = (
    "An event counts as often as its weight says: how much likelier the policy is to take the logged action than the log was. "
    "A line that ends early and steeply is good; one that reaches far to the right means that few events decide."
)


def title(report: EvaluationReport) -> str:
    """Names both sides."""
    return f"{report.subject.candidate} against {report.subject.hosted or 'what was logged'}"


def how_to_read(report: EvaluationReport) -> list[str]:
    """Two or three sentences."""
    found = report.gate.candidate.get(report.estimator)
    if report.difference is None or found is None:
        return [
            "There are too few held-out events to estimate anything. This is no judgement of the candidate: wait and ask again."
        ]
    return [_would_have(report, found.value), _interval(report, report.difference), _rests_on(found)]


def _would_have(report: EvaluationReport, value: float) -> str:
    against = report.subject.hosted or "the decisions as they were logged"
    return (
        f"Had {report.subject.candidate} made the {report.gate.n:,} decisions of the hold-out, each would have earned about "
        f"{value:.4g} on average; {against} comes to {_baseline(report):.4g}."
    )


def _baseline(report: EvaluationReport) -> float:
    hosted, logged = report.gate.hosted, report.gate.logged
    found = hosted[report.estimator] if hosted else logged
    return found.value if found else float("nan")


def _interval(report: EvaluationReport, found: Estimate) -> str:
    between = f"between {found.lower:+.4g} and {found.upper:+.4g}"
    if found.lower > 0:
        meaning = "zero lies below: luck is a poor explanation of the gain"
    elif found.upper < 0:
        meaning = "zero lies above: bad luck is a poor explanation of the loss"
    else:
        meaning = "zero lies inside: it may be better, the same or worse"
    looks = ", however often one looks" if report.settings.sequential else ""
    return f"The true difference a decision lies {between} ({found.level:.0%} of such intervals hold the truth{looks}); {meaning}."


def _rests_on(found: Estimate) -> str:
    return (
        f"Not every event says something about a new policy: these {found.n:,} tell as much as {found.ess:,.0f} of its own "
        "would. Where the gate refuses for lack of support, that is no judgement of the candidate; the log cannot answer."
    )
