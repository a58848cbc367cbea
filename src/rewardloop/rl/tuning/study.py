"""The study behind a search: what Optuna proposes, which trials go on, how each ended. One at a time or many at once.

A study is a folder with a journal of JSON lines that only ever grows; one process at a time works on it. Nothing is trained here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from rewardloop.errors import TrainingFailed
from rewardloop.rl.toolkit import Plan

JOURNAL: Final = "study.journal"
_LOST: Final = 5
"""Trials in a row that failed: the next would fail as well."""


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


class Searching:
    """A study under way, until it has `n_trials` that ended or were pruned."""

    def __init__(self, study: optuna.Study, setup: Setup, n_trials: int, say: Callable[[Trial], None]) -> None:
        self.setup = setup
        self._study = study
        self._n_trials = n_trials
        self._say = say
        self._under_way: dict[int, optuna.Trial] = {}
        self._pruned: set[int] = set()
        self._failed = 0

    def next(self) -> tuple[int, Plan] | None:
        """The number and the plan of another trial; None where those that ended and those under way are enough."""
        if len(_counted(self._study)) + len(self._under_way) >= self._n_trials:
            return None
        trial = self._study.ask()
        self._under_way[trial.number] = trial
        chosen = {one.name: one.suggest(trial) for one in self.setup.dimensions}
        plan = self.setup.plan
        return trial.number, msgspec.structs.replace(plan, parameters={**plan.parameters, **chosen}, seed=plan.seed + trial.number)

    def goes_on(self, number: int, n_steps: int, value: float) -> bool:
        """Whether a trial that reached a checkpoint is as good as the median of the others there."""
        trial = self._under_way[number]
        trial.report(value, n_steps)
        if trial.should_prune():
            self._pruned.add(number)
        return number not in self._pruned

    def ended(self, number: int, value: float | None, failed: str = "") -> None:
        """`value` None: it failed. Raises `TrainingFailed` where one after the other does."""
        trial, state = self._under_way.pop(number), optuna.trial.TrialState
        if value is None:
            self._study.tell(trial, state=state.FAIL)
        elif number in self._pruned:
            self._study.tell(trial, state=state.PRUNED)
        else:
            self._study.tell(trial, value)
        self._say(read_trial(self._study.get_trials(deepcopy=False)[number], self.setup))
        self._failed = self._failed + 1 if value is None else 0
        if self._failed >= _LOST:
            raise TrainingFailed(f"{self._failed} trials in a row failed; the last of them: {failed or 'no reason given'}")


def read_trials(study: optuna.Study, setup: Setup) -> tuple[Trial, ...]:
    return tuple(read_trial(trial, setup) for trial in study.get_trials(deepcopy=False))


def open_study(folder: Path, seed: int = 0) -> optuna.Study:
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
            sampler=optuna.samplers.TPESampler(seed=seed + n, constant_liar=True),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=0),
        )


def give_up_the_dead(study: optuna.Study) -> None:
    """Trials of a process that was killed are marked failed; the lock says that no living one has any."""
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def _counted(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return study.get_trials(deepcopy=False, states=ended)


def read_trial(trial: optuna.trial.FrozenTrial, setup: Setup) -> Trial:
    choices: Mapping[str, Dimension] = {one.name: one for one in setup.dimensions}
    named = {name: choices[name].choices[value] if choices[name].choices else value for name, value in trial.params.items()}
    reported = trial.intermediate_values
    value = trial.value if trial.value is not None else (reported[max(reported)] if reported else None)
    return Trial(number=trial.number, state=trial.state.name.lower(), value=value, parameters=named)
