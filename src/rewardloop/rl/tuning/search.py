"""The search for hyperparameters: Optuna proposes, a toolkit trains, weak trials end at a checkpoint, and all of it resumes.

A study is a folder `DATA/rl-studies/NAME`; `study` keeps it, `attempts` trains one trial, `rllib.scattering` many at once.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import optuna

from rewardloop.charts import Chart, bars, stacked, strips
from rewardloop.durable import replace_file
from rewardloop.errors import Conflict, InvalidInput, RewardloopError
from rewardloop.registry.leases import Lease
from rewardloop.rl.runs.training import facts_of_env
from rewardloop.rl.toolkit import Plan
from rewardloop.rl.tuning.attempts import attempt
from rewardloop.rl.tuning.study import Dimension, Found, Searching, Setup, Trial, give_up_the_dead, open_study, read_trials

LOCK: Final = "study.lock"
SETUP: Final = "study.json"
_RANGE: Final = re.compile(r"\s*([-+.\deE]+)\s*:\s*([-+.\deE]+)\s*(:log)?\s*")
ON_POLICY: Final = ("learning_rate=1e-5:1e-2:log", "gamma=0.9,0.95,0.98,0.99,0.995", "ent_coef=1e-8:0.1:log", "gae_lambda=0.8:1.0")
OFF_POLICY: Final = ("learning_rate=1e-5:1e-2:log", "gamma=0.9,0.95,0.98,0.99,0.995", "batch_size=64,128,256")


def dimension(text: str) -> Dimension:
    """
    >>> dimension("learning_rate=1e-5:1e-2:log").log, dimension("net_arch=[64],[64,64]").choices
    (True, ([64], [64, 64]))
    """
    name, equals, rest = text.partition("=")
    if not equals or not name or not rest:
        raise InvalidInput(f"Expected name=low:high, name=low:high:log or name=a,b,c, got `{text}`", at="--search")
    match = _RANGE.fullmatch(rest)
    if match is None:
        return Dimension(name, choices=_choices(rest, text))
    try:
        low, high = float(match[1]), float(match[2])
    except ValueError:
        raise InvalidInput(f"Expected numbers in `{text}`", at="--search") from None
    if not low < high or not math.isfinite(high - low) or (match[3] and low <= 0):
        raise InvalidInput(f"Expected low < high (and 0 < low for log) in `{text}`", at="--search")
    return Dimension(name, low, high, bool(match[3]))


class Apart(msgspec.Struct, frozen=True):
    """Trials side by side, as Ray tasks."""

    address: str = ""
    """Of a cluster; empty: a Ray of this process alone."""
    at_once: int = 0
    """0: as many as there are CPUs for."""


def tune(
    folder: Path,
    setup: Setup,
    *,
    n_trials: int,
    seed: int,
    apart: Apart | None = None,
    say: Callable[[Trial], None] = lambda _: None,
) -> Found:
    """Trials until the study has `n_trials`; those of earlier calls count. One after another, or `apart`.

    Raises `Conflict` where the folder is another study's, or another process is at it; `TrainingFailed` where no trial succeeds.
    """
    _settle(folder, setup)
    with Lease(folder / LOCK):
        study = open_study(folder, seed)
        give_up_the_dead(study)
        searching = Searching(study, setup, n_trials, say)
        if apart is None:
            _one_by_one(searching, folder / "trials")
        else:
            _side_by_side(searching, apart)
        return found(folder, setup)


def _one_by_one(searching: Searching, folder: Path) -> None:
    setup = searching.setup
    while (wanted := searching.next()) is not None:
        number, plan = wanted

        def judge(n_steps: int, value: float, number: int = number) -> bool:
            return searching.goes_on(number, n_steps, value)

        try:
            searching.ended(number, attempt(plan, setup.eval_episodes, folder / str(number), judge))
        except InvalidInput as error:
            searching.ended(number, None)
            raise InvalidInput(f"{error} (trial {number}: {plan.parameters})") from None
        except ArithmeticError as error:
            searching.ended(number, None, str(error))


def _side_by_side(searching: Searching, apart: Apart) -> None:
    plan = searching.setup.plan
    if plan.toolkit == "rllib" and plan.n_workers > 1:
        raise InvalidInput("Trials side by side of `rllib` have one worker each: leave --workers out", at="--workers")
    try:
        scattering = import_module("rewardloop.rl.rllib.scattering")
    except ModuleNotFoundError as error:
        raise InvalidInput(f"Trials side by side need Ray ({error}): pip install 'rewardloop[rllib]'", at="--ray") from None
    scattering.scatter(
        searching, searching.setup.eval_episodes, address=apart.address, at_once=apart.at_once, n_cpus=plan.n_workers
    )


def found(folder: Path, setup: Setup) -> Found:
    """What the study has found so far. Raises `Conflict` before its first whole trial."""
    study = open_study(folder)
    trials = read_trials(study, setup)
    whole = [trial for trial in trials if trial.state == "complete"]
    if not whole:
        raise Conflict(f"Study `{folder.name}` has no trial that was trained to its end yet; all were pruned or failed")
    return Found(
        study=folder.name,
        n_trials=len(trials),
        n_pruned=sum(trial.state == "pruned" for trial in trials),
        best=max(whole, key=lambda trial: trial.value if trial.value is not None else -math.inf),
        importance=_importance(study),
        trials=trials,
    )


def tuning_chart(result: Found) -> Chart:
    """Value of each trial, the best so far, and what each hyperparameter matters."""
    known = [(trial.number, trial.value) for trial in result.trials if trial.value is not None]
    best = np.maximum.accumulate([value for _, value in known])
    lines = {"trial": [value for _, value in known], "best so far": best.tolist()}
    history = strips("mean return by trial", [number for number, _ in known], {"mean return": lines}, x="trial")
    parts = [history, *([bars(result.importance, title="Importance", unit="share explained")] if result.importance else [])]
    return stacked(f"Study {result.study}: {result.n_trials} trials, {result.n_pruned} pruned", parts)


def make_setup(plan: Plan, texts: Sequence[str], eval_episodes: int, features: Sequence[str]) -> Setup:
    """The study of a plan; without ranges, the usual ones of its kind of algorithm."""
    usual = ON_POLICY if "on-policy" in features else OFF_POLICY
    dimensions = tuple(dimension(text) for text in (texts or usual))
    return Setup(plan=plan, dimensions=dimensions, eval_episodes=eval_episodes, spaces_hash=facts_of_env(plan.env).spaces_hash)


def _settle(folder: Path, setup: Setup) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path, wanted = folder / SETUP, msgspec.json.encode(setup)
    if not path.exists():
        replace_file(path, wanted)
    elif path.read_bytes() != wanted:
        raise Conflict(f"Study `{folder.name}` is about another plan or other ranges ({path}); choose another --study")


def _importance(study: optuna.Study) -> dict[str, float]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))
    except (ValueError, RuntimeError, RewardloopError):  # Fewer than two whole trials, or all alike.
        return {}
    return {name: float(value) for name, value in values.items()}


def _choices(rest: str, text: str) -> tuple[Any, ...]:
    try:
        return tuple(msgspec.json.decode(f"[{rest}]".encode()))
    except msgspec.DecodeError:
        words = tuple(word.strip() for word in rest.split(","))
        if "[" in rest or not all(words):
            raise InvalidInput(f"Expected choices as JSON or as words, got `{text}`", at="--search") from None
        return words
