"""`rewardloop compare-ab`: what would a bandit have earned over an A/B test?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.markup import escape

from rewardloop.actions import fixed_actions
from rewardloop.cli.asking.options import AsJson
from rewardloop.cli.asking.target import Only
from rewardloop.cli.telling.counting import counted
from rewardloop.cli.telling.printing import console, json_document, print_facts, print_json, print_table
from rewardloop.cli.telling.writing import Renderer, ReportFiles, check_reports, write_reports
from rewardloop.comparing import Comparison, Population, Replay, Replayed, SplitDesign, bernoulli, compare, replayed
from rewardloop.errors import InvalidInput
from rewardloop.reports.comparison import comparison_facts, comparison_page, comparison_picture, comparison_table
from rewardloop.reports.replayed import replayed_facts, replayed_page, replayed_picture, replayed_table
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.classification import digits, from_file
from rewardloop.worlds.logged import LoggedWorld, read_log

MAX_POLICIES = 2
"""As many as a chart tells apart beside the test and the references."""

_SHARE = Parameter(validator=Number(gt=0, lt=1))


def compare_ab(
    *,
    world: Annotated[
        Path | None, Parameter(help="A CSV file with a header and a label column; by default handwritten digits.")
    ] = None,
    label: Annotated[str | None, Parameter(help="The label column; by default the last.")] = None,
    arms: Annotated[
        str | None, Parameter(help="Instead of a file: success rates of arms without context, such as 0.05,0.06.")
    ] = None,
    log: Annotated[
        Path | None,
        Parameter(help="Instead of a file: logged decisions with probabilities, replayed; `export` writes yours."),
    ] = None,
    only: Only = None,
    replay: Annotated[
        Replay, Parameter(help="A log: rejection uses some events, as if decided anew; importance all of them, by weight.")
    ] = "rejection",
    policy: Annotated[
        tuple[Exploration, ...],
        Parameter(
            name=["--policy", "-p"], consume_multiple=False, show_default="lints", help="Exploration policy; two to compare both."
        ),
    ] = ("lints",),
    visitors: Annotated[int, Parameter(validator=Number(gte=100, lte=200_000), help="Of each run; a log has its own.")] = 20_000,
    seeds: Annotated[int, Parameter(validator=Number(gte=2, lte=10_000), help="How many runs.")] = 20,
    seed: Annotated[int, Parameter(validator=Number(gte=0, lt=2**31), help="Of everything random.")] = 0,
    share: Annotated[float, _SHARE, Parameter(help="A/B test: of the visitors, at most, that are split.")] = 0.5,
    looks: Annotated[
        int, Parameter(validator=Number(gte=1, lte=100), help="A/B test: looks at the result on the way; 1: a fixed horizon.")
    ] = 10,
    level: Annotated[float, _SHARE, Parameter(help="A/B test: confidence level, shared among all comparisons and looks.")] = 0.95,
    report: ReportFiles = (),
    json: AsJson = False,
) -> None:
    check_reports(report)
    if not 1 <= len(set(policy)) <= MAX_POLICIES:
        raise InvalidInput(f"Expected 1 to {MAX_POLICIES} policies, got {len(set(policy))}", at="--policy")
    design = SplitDesign(share=share, looks=looks, level=level)
    if log is None and replay != "rejection":
        raise InvalidInput("Expected a log to replay by importance, in --log", at="--replay")
    if log is None and only is not None:
        raise InvalidInput("Expected a log whose rows name their experiment, in --log", at="--only")
    if log is not None:
        if world or label or arms:
            raise InvalidInput("Expected --log, --world or --arms, got two of them", at="--log")
        _show_replayed(_replayed(read_log(log, only), replay, policy, seeds, seed, design), report, json)
        return
    population = _population(world, label, arms)
    with counted(population.name, seeds) as count:
        found = compare(population, policy, visitors=visitors, runs=seeds, seed=seed, design=design, on_run=count.one_more)
    write_reports(report, _renderers(found))
    if json:
        print_json(found)
    else:
        _print(found)


def _replayed(  # noqa: PLR0917 - the options
    world: LoggedWorld, replay: Replay, policies: Sequence[Exploration], runs: int, seed: int, design: SplitDesign
) -> Replayed:
    with counted(world.name, runs) as count:
        return replayed(world, policies, runs=runs, seed=seed, design=design, replay=replay, on_run=count.one_more)


def _show_replayed(found: Replayed, report: ReportFiles, json: bool) -> None:
    page, picture = (lambda: replayed_page(found)), (lambda: replayed_picture(found))
    write_reports(report, {".html": page, ".png": picture, ".json": lambda: json_document(found)})
    if json:
        print_json(found)
        return
    shown = replayed_table(found)
    print_table(shown.header, shown.rows)
    console.print()
    print_facts(replayed_facts(found))
    console.print(f"\n[bold]{escape(found.summary)}[/]")


def _renderers(found: Comparison) -> dict[str, Renderer]:
    return {
        ".html": lambda: comparison_page(found),
        ".png": lambda: comparison_picture(found),
        ".json": lambda: json_document(found),
    }


def _population(world: Path | None, label: str | None, arms: str | None) -> Population:
    if arms is not None:
        if world or label:
            raise InvalidInput("Expected --world or --arms, got both", at="--arms")
        return bernoulli(_rates(arms))
    if label and not world:
        raise InvalidInput("Expected the file it is a column of, in --world", at="--label")
    rows = from_file(world, label) if world else digits()
    means = np.eye(len(rows.actions))[rows.labels]
    return Population(rows.name, rows.contexts, means, fixed_actions(rows.actions), rows.references().skyline)


def _rates(arms: str) -> list[float]:
    try:
        return [float(rate) for rate in arms.split(",")]
    except ValueError:
        raise InvalidInput(f"Expected numbers between commas, such as 0.05,0.06, got `{arms}`", at="--arms") from None


def _print(found: Comparison) -> None:
    shown = comparison_table(found)
    print_table(shown.header, shown.rows)
    console.print()
    print_facts(comparison_facts(found))
    console.print(f"\n[bold]{escape(found.summary)}[/]")
