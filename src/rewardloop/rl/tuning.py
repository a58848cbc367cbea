"""The search for hyperparameters: Optuna proposes, a toolkit trains, weak trials end at a checkpoint, and all of it resumes.

A study is a folder `DATA/rl-studies/NAME` with a journal of JSON lines that only ever grows; one process at a time works on it.
"""

from __future__ import annotations

import math
import re
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from rewardloop.charts import Chart, bars, stacked, strips
from rewardloop.errors import Conflict, InvalidInput, RewardloopError
from rewardloop.registry.leases import Lease
from rewardloop.rl.checkpoints import newest_checkpoint
from rewardloop.rl.toolkit import Plan, Progress, load_toolkit
from rewardloop.rl.training import EVALUATION_SEEDS, facts_of_env

JOURNAL: Final = "study.journal"
LOCK: Final = "study.lock"
SETUP: Final = "study.json"
_RANGE: Final = re.compile(r"\s*([-+.\deE]+)\s*:\s*([-+.\deE]+)\s*(:log)?\s*")
ON_POLICY: Final = ("learning_rate=1e-5:1e-2:log", "gamma=0.9,0.95,0.98,0.99,0.995", "ent_coef=1e-8:0.1:log", "gae_lambda=0.8:1.0")
OFF_POLICY: Final = ("learning_rate=1e-5:1e-2:log", "gamma=0.9,0.95,0.98,0.99,0.995", "batch_size=64,128,256")


class Dimension(msgspec.Struct, frozen=True):
    """One hyperparameter's range, or its choices."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, trial: optuna.Trial) -> Any:
        if self.choices:  # By position: a choice may be a list, which no storage keeps as it is.
            return self.choices[trial.suggest_categorical(self.name, list(range(len(self.choices))))]
        if self.low.is_integer() and self.high.is_integer() and not self.log and self.high - self.low > 1:
            return trial.suggest_int(self.name, int(self.low), int(self.high))
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a study is about: it cannot change while it lasts."""

    plan: Plan
    dimensions: tuple[Dimension, ...]
    eval_episodes: int
    spaces_hash: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One training of the study."""

    number: int
    state: str
    value: float | None
    parameters: dict[str, Any]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How the study stands."""

    study: str
    n_trials: int
    n_pruned: int
    best: Trial
    importance: dict[str, float]
    """Share of the differences between trials that each hyperparameter explains; empty while there are too few trials."""
    trials: tuple[Trial, ...]


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


def tune(folder: Path, setup: Setup, *, n_trials: int, seed: int, say: Callable[[Trial], None] = lambda _: None) -> Found:
    """Trials until the study has `n_trials`; those of earlier calls count.

    Raises `Conflict` where the folder is another study's, or another process is at it.
    """
    _settle(folder, setup)
    with Lease(folder / LOCK):
        return _tuned(folder, setup, n_trials, seed, say)


def _tuned(folder: Path, setup: Setup, n_trials: int, seed: int, say: Callable[[Trial], None]) -> Found:
    study = _study(folder, seed)
    toolkit = load_toolkit(setup.plan.toolkit)

    def objective(trial: optuna.Trial) -> float:
        chosen = {one.name: one.suggest(trial) for one in setup.dimensions}
        plan = msgspec.structs.replace(
            setup.plan, parameters={**setup.plan.parameters, **chosen}, seed=setup.plan.seed + trial.number
        )
        return _trained(trial, plan, folder / "trials" / str(trial.number))

    def _trained(trial: optuna.Trial, plan: Plan, directory: Path) -> float:
        values: list[float] = []
        seeds = range(EVALUATION_SEEDS, EVALUATION_SEEDS + setup.eval_episodes)

        def watch(progress: Progress) -> bool:
            if progress.checkpoint is None:
                return True
            values.append(float(np.mean(toolkit.evaluate(plan, newest_checkpoint(directory / "checkpoints"), seeds))))
            trial.report(values[-1], progress.n_steps)
            return not trial.should_prune()

        try:
            toolkit.train(plan, directory / "checkpoints", watch)
        except InvalidInput as error:
            raise InvalidInput(f"{error} (trial {trial.number}: {plan.parameters})") from None
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if trial.should_prune():
            raise optuna.TrialPruned
        return values[-1]

    _give_up_the_dead(study)
    while len(_counted(study)) < n_trials:
        study.optimize(objective, n_trials=1, catch=(ArithmeticError,), callbacks=[lambda _, trial: say(_trial(trial, setup))])
    return found(folder, setup)


def found(folder: Path, setup: Setup) -> Found:
    """What the study has found so far. Raises `Conflict` before its first whole trial."""
    study = _study(folder, 0)
    trials = tuple(_trial(trial, setup) for trial in study.get_trials(deepcopy=False))
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
        path.write_bytes(wanted)
    elif path.read_bytes() != wanted:
        raise Conflict(f"Study `{folder.name}` is about another plan or other ranges ({path}); choose another --study")


def _study(folder: Path, seed: int) -> optuna.Study:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Journals are called experimental by their authors.
        storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        n = len(storage.get_all_trials(storage.get_study_id_from_name(folder.name))) if storage.get_all_studies() else 0
        return optuna.create_study(
            storage=storage,
            study_name=folder.name,
            direction="maximize",
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=seed + n),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=0),
        )


def _give_up_the_dead(study: optuna.Study) -> None:
    """Trials of a process that was killed are marked failed; the lock says that no living one has any."""
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def _counted(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return study.get_trials(deepcopy=False, states=ended)


def _trial(trial: optuna.trial.FrozenTrial, setup: Setup) -> Trial:
    choices: Mapping[str, Dimension] = {one.name: one for one in setup.dimensions}
    named = {name: choices[name].choices[value] if choices[name].choices else value for name, value in trial.params.items()}
    reported = trial.intermediate_values
    value = trial.value if trial.value is not None else (reported[max(reported)] if reported else None)
    return Trial(number=trial.number, state=trial.state.name.lower(), value=value, parameters=named)


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
