"""`rewardloop rl train`: a run from its first step to its last, or onwards from where it stands."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import EnvId, EnvParameters, Parameters, pairs, positive, required_env
from rewardloop.cli.rl.progress import Live
from rewardloop.cli.telling.printing import console, print_json, warn
from rewardloop.clock import SystemClock
from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.logged.files import read_episodes
from rewardloop.rl.logged.replay import REPLAY, replayed
from rewardloop.rl.runs.run import Manifest, Runs, Watching
from rewardloop.rl.runs.training import facts_of_env, resume, start
from rewardloop.rl.scripts import run_script
from rewardloop.rl.suggesting import with_suggestions
from rewardloop.rl.toolkit import Plan

_STEPS = 100_000
_CHECKPOINT = 10_000
_RESUMED = ("resume_run", "steps", "data", "json")


def train(
    *,
    env: EnvId = None,
    env_param: EnvParameters = (),
    episodes: Annotated[Path | None, Parameter(help="Learn from these logged episodes, by toolkit offline.")] = None,
    algo: Annotated[str, Parameter(name=["--algo", "-a"], help="As `rewardloop rl algorithms` names it.")] = "ppo",
    toolkit: Annotated[str, Parameter(help="Its name; `rewardloop rl algorithms` lists them.")] = "sb3",
    steps: Annotated[int | None, Parameter(help="Environment steps in all; by default 100,000.")] = None,
    seed: Annotated[int, Parameter(help="Of everything random.")] = 0,
    workers: Annotated[int, Parameter(help="Environments side by side, each in a process; 1: in this one, to debug.")] = 1,
    ray: Annotated[
        str,
        Parameter(
            show_default=False, help="A Ray cluster for rllib: `auto`, HOST:PORT or ray://HOST:PORT; sb3 trains on one machine."
        ),
    ] = "",
    param: Parameters = (),
    normalise: Annotated[bool, Parameter(show_default=False, help="Observations by their running mean and deviation.")] = False,
    bare: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Leave what the environment suggests; its toolkit's defaults.")
    ] = False,
    checkpoint_every: Annotated[int, Parameter(help="Steps between checkpoints.")] = _CHECKPOINT,
    eval_episodes: Annotated[int, Parameter(help="Greedy episodes played at each checkpoint; 0: none.")] = 5,
    stop_at: Annotated[float | None, Parameter(help="Their mean return at which training ends early.")] = None,
    patience: Annotated[int | None, Parameter(help="Checkpoints without a better one after which it ends early.")] = None,
    step_timeout: Annotated[float, Parameter(help="Seconds after which a worker that does not answer is ended.")] = 300.0,
    run: Annotated[str | None, Parameter(help="Name of the run; by default one is made.")] = None,
    resume_run: Annotated[str | None, Parameter(name=["--resume"], help="Go on with this run.")] = None,
    script: Annotated[Path | None, Parameter(help="Your own training script; see docs/rl.md for what it is given.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    if resume_run is not None:
        _check_resumed(locals())
    sys.path.insert(0, os.getcwd())  # `module:Name` means a module here, as it does for `python train.py`.
    runs, clock = Runs(data), SystemClock()
    if resume_run is not None:
        with Live(resume_run, clock, quiet=json) as live:
            _print(resume(runs, resume_run, clock, n_steps=steps, show=live), runs, json)
        return
    plan = Plan(
        env=_env(env, script, pairs(env_param, "--env-param"), episodes),
        toolkit=toolkit if episodes is None else "offline",
        algorithm="".join(algo.lower().split("-")),
        n_steps=positive(_STEPS if steps is None else steps, "--steps"),
        seed=seed,
        n_workers=positive(workers, "--workers"),
        checkpoint_every=positive(checkpoint_every, "--checkpoint-every"),
        normalise=normalise,
        parameters=pairs(param, "--param"),
        step_timeout_s=step_timeout,
        episodes="" if episodes is None else str(episodes.absolute()),
        ray=ray,
    )
    if script is not None:
        facts = facts_of_env(plan.env) if env is not None else None
        say = (lambda _: None) if json else (lambda line: console.print(line, markup=False))
        _print(run_script(runs, script, plan, clock, facts=facts, environ=os.environ, name=run, say=say), runs, json)
        return
    if not bare and episodes is None:
        plan = _completed(plan, quiet=json)
    watching = Watching(eval_episodes=0 if plan.env.id == REPLAY else eval_episodes, stop_at=stop_at, patience=patience)
    with Live(f"{plan.algorithm} on {plan.env.id}", clock, quiet=json) as live:
        _print(start(runs, plan, watching, clock, name=run, show=live), runs, json)


def _check_resumed(given: Mapping[str, object]) -> None:
    """A run goes on with what it was begun with: anything else that is asked for would be passed over in silence."""
    for name, option in inspect.signature(train).parameters.items():
        if name not in _RESUMED and given[name] != option.default:
            at = f"--{name.replace('_', '-')}"
            raise InvalidInput("Expected --steps alone beside --resume: a run goes on with what it was begun with", at=at)


def _completed(plan: Plan, *, quiet: bool) -> Plan:
    """With what the environment suggests where the command line says nothing, and a line that says so."""
    completed = with_suggestions(plan)
    if completed != plan and not quiet:
        chosen = {**completed.training_env.parameters, **completed.parameters, "normalise": completed.normalise}
        warn("As the environment suggests: " + ", ".join(f"{name}={value}" for name, value in chosen.items()))
    return completed


def _env(env: str | None, script: Path | None, parameters: dict[str, Any], episodes: Path | None) -> EnvSpec:
    """The one named, or the one where the episodes were logged, or those episodes themselves.

    A file may come from anywhere: what it names is never imported, only looked up among the registered environments.
    """
    if env is None and episodes is not None:
        named = read_episodes(episodes).header.env
        if named is not None and ":" in named.id:
            raise InvalidInput(f"These episodes are of `{named.id}`, which is code: if it is yours, name it", at="--env")
        return replayed(episodes.absolute()) if named is None else named
    return EnvSpec(env or "" if script is not None else required_env(env), parameters)


def _print(manifest: Manifest, runs: Runs, json: bool) -> None:
    if json:
        print_json(manifest)
        return
    ended = f"{manifest.status}{f': {manifest.reason}' if manifest.reason else ''}"
    best = f", best mean return {manifest.best.mean_return:.6g} at step {manifest.best.n_steps:,}" if manifest.best else ""
    after = "" if manifest.script else f" after {manifest.n_steps:,} steps{best}"  # A script says nothing of its steps.
    console.print(f"[bold]{escape(manifest.run)}[/]  {escape(ended)}{after}")
    console.print(f"[dim]{escape(str(runs.root / manifest.run))}[/]")
