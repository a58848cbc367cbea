"""The tables of an evaluation: what was compared, the gate's rules, the estimates, what was left out."""

from __future__ import annotations

from rewardloop.charts import Table
from rewardloop.clock import isoformat
from rewardloop.evaluation import Estimate, EvaluationReport, Rule, Subject
from rewardloop.reports.evaluation_charts import difference_name, shown
from rewardloop.settings import GateSettings


def compared(report: EvaluationReport) -> Table:
    """What the verdict is about, and the settings it was found under."""
    subject = report.subject
    rows = [
        ("log" if subject.from_file else "experiment", subject.experiment),
        ("candidate", subject.candidate),
        ("compared with", _other(report)),
        ("data set", f"{subject.dataset}, {subject.n_events:,} events{_until(subject)}"),
        ("held out", f"{subject.n_held_out:,} events{_untouched(subject)}; {report.gate.n:,} of them can be used"),
        ("gate", _settings(report.settings)),
    ]
    return Table(("", ""), rows)


def rules(report: EvaluationReport) -> Table:
    """Each rule of the gate: its number, its threshold, whether it holds, and in words."""
    rows = [
        ("✓" if rule.passed else "✗", rule.name, _number(rule.number), _number(rule.threshold), _outcome(rule), rule.sentence)
        for rule in report.gate.rules
    ]
    return Table(("", "rule", ">number", ">threshold", "verdict", "in words"), rows)


def estimated(report: EvaluationReport) -> Table:
    """Every estimate as numbers."""
    rows = [_row(shown(report, policy), name, found) for policy, named in report.estimates.items() for name, found in named.items()]
    if report.difference:
        rows.append(_row(difference_name(report), report.estimator, report.difference))
    return Table(("policy", "estimator", ">value", f">{report.settings.level:.0%} interval", ">events", ">effective"), rows)


def excluded(report: EvaluationReport) -> Table | str:
    """Events that could not be used, by reason."""
    if not report.gate.excluded:
        return f"None: all {report.subject.n_held_out:,} held-out events were used."
    return Table(("reason", ">events"), [(reason, f"{n:,}") for reason, n in report.gate.excluded.items()])


def _other(report: EvaluationReport) -> str:
    hosted, serving = report.subject.hosted, report.gate.serving
    if hosted is None and report.subject.from_file:
        return "what was logged"
    if hosted is None:
        return f"what was logged: no model {'was hosted before it' if serving else 'is hosted yet'}"
    return f"{hosted}, which was hosted before it" if serving else hosted


def _until(subject: Subject) -> str:
    """A file need not say when."""
    return f" up to {isoformat(subject.watermark)}" if subject.watermark > 0 else ""


def _untouched(subject: Subject) -> str:
    return ", if the candidate did not learn from them" if subject.from_file else " that no model was trained on"


def _outcome(rule: Rule) -> str:
    return "holds" if rule.passed else rule.otherwise.replace("_", " ")


def _settings(settings: GateSettings) -> str:
    """Those that are set."""
    known = ((name, getattr(settings, name)) for name in settings.__struct_fields__)
    return ", ".join(f"{name} {value}" for name, value in known if value not in (None, ()))


def _row(policy: str, name: str, found: Estimate) -> tuple[str, ...]:
    interval = f"{found.lower:.4f} … {found.upper:.4f}"
    return policy, name, f"{found.value:.4f}", interval, f"{found.n:,}", f"{found.ess:,.0f}"


def _number(number: float) -> str:
    """Counts in full, the rest to four digits.

    >>> _number(20000.0), _number(0.123456)
    ('20,000', '0.1235')
    """
    return f"{number:,.0f}" if number == round(number) else f"{number:.4g}"
