"""`rewardloop rl tune`: hyperparameters by search, resumable."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.charts import to_html, to_png
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import EnvId, EnvParameters, Parameters, pairs, positive, required_env
from rewardloop.cli.telling.printing import console, json_document, print_facts, print_json, warn
from rewardloop.cli.telling.writing import Renderer, ReportFiles, check_reports, write_reports
from rewardloop.rl.algorithms import check_fits, find_algorithm, plain
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.runs.training import facts_of_env
from rewardloop.rl.toolkit import Plan, load_toolkit
from rewardloop.rl.tuning.search import Apart, make_setup, tuning_chart
from rewardloop.rl.tuning.search import tune as tuned
from rewardloop.rl.tuning.study import Found, Trial


def tune(
    *,
    env: EnvId = None,
    env_param: EnvParameters = (),
    algo: Annotated[str, Parameter(name=["--algo", "-a"], help="As `rewardloop rl algorithms` names it.")] = "ppo",
    toolkit: Annotated[str, Parameter(help="Its name; `rewardloop rl algorithms` lists them.")] = "sb3",
    study: Annotated[str | None, Parameter(help="Name of the study; the same name goes on with it.")] = None,
    trials: Annotated[int, Parameter(help="Trials in all, those of earlier calls included.")] = 20,
    search: Annotated[
        tuple[str, ...],
        Parameter(consume_multiple=False, show_default=False, help="name=low:high, name=low:high:log or name=a,b,c; repeat."),
    ] = (),
    steps: Annotated[int, Parameter(help="Environment steps a trial.")] = 20_000,
    prune_every: Annotated[int, Parameter(help="Steps after which a trial is evaluated, and ended if it is weak.")] = 5_000,
    eval_episodes: Annotated[int, Parameter(help="Greedy episodes in each evaluation.")] = 5,
    workers: Annotated[int, Parameter(help="Environments side by side in a trial.")] = 1,
    at_once: Annotated[
        int | None, Parameter(help="Trials side by side, as Ray tasks; with --ray by default as many as it has CPUs for.")
    ] = None,
    ray: Annotated[
        str, Parameter(help="A Ray cluster for the trials: `auto`, HOST:PORT or ray://HOST:PORT.", show_default=False)
    ] = "",
    seed: Annotated[int, Parameter(help="Of the search and of the first trial.")] = 0,
    param: Parameters = (),
    normalise: Annotated[bool, Parameter(show_default=False, help="Observations by their running mean and deviation.")] = False,
    report: ReportFiles = (),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    sys.path.insert(0, os.getcwd())
    check_reports(report)
    for option, number in (("--trials", trials), ("--at-once", 1 if at_once is None else at_once)):
        positive(number, option)
    spec = EnvSpec(required_env(env), pairs(env_param, "--env-param"))
    known = load_toolkit(toolkit).algorithms()
    row = find_algorithm(known, algo, toolkit)
    plan = Plan(
        env=spec,
        toolkit=toolkit,
        algorithm=row.name,
        n_steps=steps,
        seed=seed,
        n_workers=workers,
        checkpoint_every=prune_every,
        normalise=normalise,
        parameters=pairs(param, "--param"),
    )
    check_fits(row, facts_of_env(spec), known, spec.id)
    setup = make_setup(plan, search, eval_episodes, row.features)
    name = study or f"{row.name}-{plain(spec.id.rpartition(':')[2])}"
    apart = Apart(ray, at_once or 0) if ray or (at_once or 1) > 1 else None
    found = tuned(data / "rl-studies" / name, setup, n_trials=trials, seed=seed, apart=apart, say=_quiet if json else _say)
    write_reports(report, _renderers(found))
    if json:
        print_json(found)
    else:
        _print(found, f"rewardloop rl train --env {spec.id} --algo {row.name}")


def _renderers(found: Found) -> dict[str, Renderer]:
    chart = tuning_chart(found)
    return {".html": lambda: to_html(chart, chart.title), ".png": lambda: to_png(chart), ".json": lambda: json_document(found)}


def _print(found: Found, train: str) -> None:
    """The best trial, and the command that trains with what it had."""
    best = found.best
    value = f"{best.value:.6g}" if best.value is not None else "-"
    console.print(f"[bold]trial {best.number}[/]  mean return {value}, of {found.n_trials} trials, {found.n_pruned} pruned")
    print_facts([(key, f"{chosen}  importance {found.importance.get(key, 0.0):.2f}") for key, chosen in best.parameters.items()])
    words = " ".join(f"-p {key}={_compact(chosen)}" for key, chosen in best.parameters.items())
    console.print(f"[dim]{escape(train)} {escape(words)}[/]")


def _compact(value: object) -> str:
    return str(value).replace(" ", "")


def _say(trial: Trial) -> None:
    value = f"{trial.value:.6g}" if trial.value is not None else "-"
    warn(f"trial {trial.number}: {trial.state}, mean return {value}, {trial.parameters}")


def _quiet(_: Trial) -> None:
    """Programs read the end."""
