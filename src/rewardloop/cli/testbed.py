"""`rewardloop testbed`: which policy, with which settings, earns most on data sets and simulators?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from rewardloop.cli.asking.options import AsJson
from rewardloop.cli.telling.counting import counted
from rewardloop.cli.telling.printing import console, json_document, print_json, print_table
from rewardloop.cli.telling.writing import Renderer, ReportFiles, check_reports, write_reports
from rewardloop.errors import InvalidInput
from rewardloop.reports.testbed import headline, overall_table, reward_table, summary_page, summary_picture
from rewardloop.testbed.cell import Knobs, contender
from rewardloop.testbed.played import check_policies
from rewardloop.testbed.results import Results
from rewardloop.testbed.running import LOG, cells, load_world, run
from rewardloop.testbed.summary import Summary, summarise
from rewardloop.worlds.bundled import STANDARD
from rewardloop.worlds.catalogue import SIMULATED
from rewardloop.worlds.logged import Replay

_GROUPS = {"standard": STANDARD, "simulators": SIMULATED}


def testbed(
    *,
    policy: Annotated[
        tuple[str, ...],
        Parameter(
            name=["--policy", "-p"],
            consume_multiple=False,
            show_default="default, linucb, regcbopt",
            help="`default`, an exploration policy, or a YAML file; again for more.",
        ),
    ] = ("default", "linucb", "regcbopt"),
    world: Annotated[
        tuple[str, ...],
        Parameter(
            help="A data set (digits, iris, keel:letter …), a simulator (sim:static …), a labelled CSV or Parquet file, or "
            "`standard` or `simulators` for all of those; again for more.",
            consume_multiple=False,
            show_default=False,
        ),
    ] = (),
    label: Annotated[str | None, Parameter(help="The label column of the files; by default the last.")] = None,
    log: Annotated[
        tuple[Path, ...],
        Parameter(
            consume_multiple=False,
            show_default=False,
            help="Another system's logged decisions with probabilities, as `warm-start` reads.",
        ),
    ] = (),
    replay: Annotated[Replay, Parameter(help="How --log is replayed.")] = "rejection",
    rounds: Annotated[int, Parameter(validator=Number(gte=100, lte=1_000_000), help="Of each run.")] = 4_000,
    seeds: Annotated[int, Parameter(validator=Number(gte=1, lte=1_000), help="Runs of each policy in each world.")] = 5,
    delay: Annotated[
        float | None, Parameter(validator=Number(gte=0, lte=1e6), help="Mean delay of rewards in rounds, exponential.")
    ] = None,
    batch: Annotated[int, Parameter(validator=Number(gte=1, lte=100_000), help="Rounds between two steps of learning.")] = 1,
    jobs: Annotated[int | None, Parameter(validator=Number(gte=1, lte=256), help="Processes; by default one a core.")] = None,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The results file; what it holds already is not run again.")] = Path(
        "testbed.jsonl"
    ),
    report: ReportFiles = (),
    json: AsJson = False,
) -> None:
    check_reports(report)
    contenders = [contender(name) for name in dict.fromkeys(policy)]
    if len({each.name for each in contenders}) < len(contenders):
        raise InvalidInput("Expected policies of different names, got two files of the same name", at="--policy")
    worlds = _worlds(world, log)
    for each in worlds:
        check_policies(contenders, load_world(each, label))
    knobs = Knobs(rounds=rounds, delay=delay, batch=batch, replay=replay)
    wanted = cells(contenders, worlds, seeds, knobs)
    with Results(out) as results, counted("testbed", len(wanted), results.n_of(wanted)) as count:
        rows = run(wanted, results, label=label, jobs=jobs or os.cpu_count() or 1, on_row=lambda _: count.one_more())
    found = summarise(rows, knobs)
    write_reports(report, _renderers(found))
    if json:
        print_json(found)
    else:
        _print(found)


def _worlds(world: tuple[str, ...], log: tuple[Path, ...]) -> list[str]:
    asked = world or (() if log else ("digits", "sim:static"))
    named = [each for name in asked for each in _GROUPS.get(name, (name,))]
    return list(dict.fromkeys([*named, *(f"{LOG}{path}" for path in log)]))


def _renderers(found: Summary) -> dict[str, Renderer]:
    return {
        ".html": lambda: summary_page(found),
        ".png": lambda: summary_picture(found),
        ".json": lambda: json_document(found),
    }


def _print(found: Summary) -> None:
    for shown in (reward_table(found), overall_table(found)):
        print_table(shown.header, shown.rows)
        console.print()
    console.print(f"[bold]{headline(found)}[/]", highlight=False)
