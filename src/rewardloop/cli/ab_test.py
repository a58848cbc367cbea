"""`rewardloop ab-test`: two models on live traffic, and which of them earns more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName, Sticky
from rewardloop.cli.telling.printing import console, json_document, print_json, print_table
from rewardloop.cli.telling.writing import ReportFiles, check_reports, write_reports
from rewardloop.errors import InvalidInput
from rewardloop.evaluation.randomised.two_sample import ABTest
from rewardloop.reports.ab_test import ab_page, ab_picture, ab_table


def ab_test(
    experiment: ExperimentName,
    /,
    *,
    b: Annotated[str | None, Parameter(help="Begin: the model to compare; offers.0 is the uniform policy.")] = None,
    a: Annotated[
        str | None, Parameter(help="What to compare it with; by default what is hosted. The same as --b: an A/A test.")
    ] = None,
    share: Annotated[float | None, Parameter(help="Of decisions that B makes; by default one half.")] = None,
    sticky: Sticky = None,
    report: ReportFiles = (),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    check_reports(report)
    if b is not None:
        _begin(experiment, data, b, a, share, sticky)
        return
    if a is not None or share is not None or sticky is not None:
        raise InvalidInput("Expected the model to compare, to begin a test", at="--b")
    _show(experiment, data, report, json)


def _begin(  # noqa: PLR0917 - the options of a beginning
    experiment: str, data: Path, b: str, a: str | None, share: float | None, sticky: str | None
) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.ab_test(b, a, share, sticky)
    console.print(
        f"A [bold]{step.champion}[/] makes {1 - step.share:.2%} of decisions, B [bold]{step.challenger}[/] {step.share:.2%}. "
        f"How it stands: rewardloop ab-test {step.experiment}  End it: rewardloop abort {step.experiment} (A stays), or promote (B)"
    )


def _show(experiment: str, data: Path, paths: ReportFiles, json: bool) -> None:
    with open_experiment(experiment, data) as opened:
        found = opened.ab_report()
    write_reports(
        paths, {".html": lambda: ab_page(found), ".png": lambda: ab_picture(found), ".json": lambda: json_document(found)}
    )
    if json:
        print_json(found)
    else:
        _print(found)


def _print(found: ABTest) -> None:
    shown = ab_table(found)
    print_table(shown.header, shown.rows)
    console.print(f"\n[bold]{escape(found.summary)}[/]")
