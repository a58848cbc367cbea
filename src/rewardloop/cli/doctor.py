"""`rewardloop doctor`: what is wrong with a log, what it would bias, what to do."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter, validators
from rich.markup import escape

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.asking.target import Events, OfferedActions, Only, observed
from rewardloop.cli.telling.printing import console, print_json, print_table
from rewardloop.evaluation import Estimate
from rewardloop.evaluation.diagnostics import Diagnosis, Finding, Severity, diagnose
from rewardloop.evaluation.planning.learnability import MIN_ESS, Learnability
from rewardloop.lake.observed import NEWEST

_MARKS: dict[Severity, str] = {"ok": "[green]✓[/]", "note": "[dim]·[/]", "warning": "[yellow]![/]", "error": "[red]✗[/]"}


def doctor(
    target: Annotated[str, Parameter(help="An experiment, by name or YAML; or a file: CSV, JSON lines, Parquet, dsjson.")],
    /,
    *,
    actions: OfferedActions = None,
    only: Only = None,
    events: Annotated[Events, Parameter(validator=validators.Number(gte=2))] = NEWEST,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    found = diagnose(observed(target, actions, only, data, events))
    if json:
        print_json(found)
    else:
        _print(found)
    sys.exit(1 if found.failed else 0)


def _print(found: Diagnosis) -> None:
    for finding in found.findings:
        _print_finding(finding)
    if found.learnability:
        console.print()
        _print_gain(found.learnability)
    console.print(f"\n[bold]{_summary(found)}[/]")


def _print_finding(finding: Finding) -> None:
    console.print(f"{_MARKS[finding.severity]} {escape(finding.sentence)}")
    if finding.consequence:
        console.print(f"    [dim]biases[/]  {escape(finding.consequence)}")
    if finding.remedy:
        console.print(f"    [dim]do[/]      {escape(finding.remedy)}")


def _print_gain(gain: Learnability) -> None:
    console.print(f"[bold]What this log says is to be gained[/] ({gain.n:,} events)")
    rows = [
        ("as logged", gain.logged),
        ("uniform", gain.uniform),
        (f"always {gain.best_arm}", gain.best_fixed),
        ("fitted policy", gain.fitted),
        ("fitted − best fixed", gain.over_best_fixed),
        ("fitted − logged", gain.over_logged),
    ]
    told = [(name, f"{e.value:.4g}", f"{e.lower:.4g} … {e.upper:.4g}", f"{e.ess:,.0f}", _caution(e)) for name, e in rows]
    print_table(("policy", ">mean reward", f">{gain.logged.level:.0%} interval", ">effective", ""), told, "  ")
    console.print(escape(gain.sentence))


def _caution(estimate: Estimate) -> str:
    return "" if estimate.ess >= MIN_ESS else "too few to trust the interval"


def _summary(found: Diagnosis) -> str:
    counts = {severity: sum(finding.severity == severity for finding in found.findings) for severity in _MARKS}
    told = ", ".join(f"{n} {name}{'s' if n > 1 else ''}" for name in ("error", "warning") if (n := counts[name]))
    return f"{len(found.findings)} checks: {told or 'nothing wrong'}."
