"""A search for better settings: Optuna proposes, a judge values, every trial is on disk before the next. The extra `search`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rewardloop.errors import MissingExtra
from rewardloop.settings import ExperimentSettings, checked
from rewardloop.testbed.objective import Judge, Judgement
from rewardloop.testbed.proposing import Space, propose

if TYPE_CHECKING:
    import optuna


class Found(msgspec.Struct, frozen=True):
    """What a search found."""

    settings: ExperimentSettings
    """The experiment's, with the best policy; the experiment's own where no trial was better."""
    n_trials: int
    value: float
    """Progressive value of the winner on the head: optimistic, as the best of many."""
    current_value: float
    judgement: Judgement
    """On the tail, which the search has not seen."""


def search(
    settings: ExperimentSettings,
    judge: Judge,
    storage: Path,
    *,
    study: str,
    n_trials: int,
    seed: int,
    on_trial: Callable[[int], None] = lambda _: None,
) -> Found:
    """Trials until `storage` holds `n_trials` finished ones of this study, whoever made them; then the winner on the tail.

    A study is of what it chooses among: where that is other than it was, it begins anew.

    Raises `MissingExtra` where Optuna is not installed.
    """
    try:
        import optuna  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        raise MissingExtra("Expected the package `optuna`, found none: pip install 'rewardloop[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), closing(_Closing(optuna.storages.RDBStorage(f"sqlite:///{storage}"))) as held:
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        space = Space.of(settings, judge.n_actions)
        made = optuna.create_study(storage=held.storage, study_name=f"{study}: {space}", direction="maximize", load_if_exists=True)
        while (n := len(_finished(made))) < n_trials:
            made.sampler = optuna.samplers.TPESampler(seed=seed + len(made.trials))
            made.optimize(lambda trial: judge.value(propose(trial, settings, space)), n_trials=1)
            on_trial(n + 1)
        best, current_value = made.best_trial, judge.value(settings.policy)
        value = float(best.value or 0.0)
        policy = propose(optuna.trial.FixedTrial(best.params), settings, space) if value > current_value else settings.policy
    winner = checked(msgspec.structs.replace(settings, policy=policy))
    return Found(winner, n, max(value, current_value), current_value, judge.compare(policy, settings.policy))


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in study.trials if trial.state.is_finished() and trial.value is not None]


class _Closing:
    """Optuna's storage, its database closed at the end."""

    def __init__(self, storage: optuna.storages.RDBStorage) -> None:
        self.storage = storage

    def close(self) -> None:
        self.storage.remove_session()
        self.storage.engine.dispose()
