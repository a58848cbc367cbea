"""`rewardloop explain`: what does a model decide by, and why was this decided?"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName, ModelId
from rewardloop.cli.telling.printing import console, json_document, print_json, print_table
from rewardloop.cli.telling.writing import Renderer, ReportFiles, check_reports, write_reports
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import By, DecisionReport, PolicyReport
from rewardloop.loop.explaining import EVENTS, MAX_EVENTS
from rewardloop.reports import decision_page, decision_picture, importance_page, importance_picture
from rewardloop.reports.decision import decision_table
from rewardloop.reports.importance import importance_table

SHOWN = 20
"""Lines of the table on a terminal; reports and JSON have all."""

Explained = PolicyReport | DecisionReport


def explain(
    experiment: ExperimentName,
    model_id: ModelId | None = None,
    /,
    *,
    event: Annotated[str | None, Parameter(help="Why was this decided? An event id, as `decide` answered it.")] = None,
    by: Annotated[
        By, Parameter(help="group: `device.os` and `device.age` together, `scores[…]` together. feature: each.")
    ] = "group",
    events: Annotated[int, Parameter(validator=Number(gte=2, lte=MAX_EVENTS), help="Newest held-out events to look at.")] = EVENTS,
    report: ReportFiles = (),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    check_reports(report)
    if event and model_id:
        raise InvalidInput(
            "Expected a model or --event, got both: an event is explained by the model that decided it", at="--event"
        )
    with open_experiment(experiment, data) as opened:
        found: Explained = opened.explain_event(event) if event else opened.explain(model_id, events=events, by=by)
    write_reports(report, _renderers(found))
    if json:
        print_json(found)
    else:
        _print(found)


def _renderers(found: Explained) -> dict[str, Renderer]:
    if isinstance(found, PolicyReport):
        page, picture = (lambda: importance_page(found)), (lambda: importance_picture(found))
    else:
        page, picture = (lambda: decision_page(found)), (lambda: decision_picture(found))
    return {".html": page, ".png": picture, ".json": lambda: json_document(found)}


def _print(found: Explained) -> None:
    table = importance_table(found) if isinstance(found, PolicyReport) else decision_table(found)
    if table.rows:
        print_table(table.header, table.rows[:SHOWN])
        console.print()
    if len(table.rows) > SHOWN:
        console.print(f"[dim]and {len(table.rows) - SHOWN:,} more; see --report or --json[/]")
    console.print(f"[bold]{escape(found.summary)}[/]")
