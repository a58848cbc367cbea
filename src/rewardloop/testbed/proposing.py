"""Which settings a search tries: from an Optuna trial to a policy. Optuna is the extra `search`; only its trial is spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from rewardloop.settings import ExperimentSettings, PolicySettings

NATIVE: Final = ("lints", "linucb", "neural")
VOWPAL: Final = ("regcbopt", "squarecb", "egreedy")


class Trial(Protocol):
    """What of Optuna's trial is used."""

    def suggest_categorical(self, name: str, choices: Sequence[str | int | float | bool | None]) -> object: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...


def propose(trial: Trial, settings: ExperimentSettings) -> PolicySettings:
    """A policy for an experiment: its exploration, then what matters to that one; the floor and all else stay as they are."""
    exploration = str(trial.suggest_categorical("exploration", explorations(settings)))
    native = exploration in NATIVE
    learner = _native_learner(trial, exploration) if native else _vowpal_learner(trial)
    learner |= {"interactions": "auto"} if native and settings.actions is None else {}
    own = {"alpha": trial.suggest_float("alpha", 0.01, 1.0, log=True)} if native else _vowpal(trial, exploration)
    known = msgspec.to_builtins(settings.policy)
    mapping = {**known, **own, "exploration": exploration, "learner": {**known["learner"], **learner}}
    return msgspec.convert(mapping, PolicySettings)


def explorations(settings: ExperimentSettings) -> tuple[str, ...]:
    """Those that suit the experiment's actions.

    >>> explorations(ExperimentSettings(experiment="films"))
    ('lints', 'linucb', 'regcbopt', 'squarecb', 'egreedy')
    """
    fixed = settings.actions is not None and settings.cells is None
    return (*(name for name in NATIVE if fixed or name != "neural"), *VOWPAL)


def _native_learner(trial: Trial, exploration: str) -> dict[str, object]:
    forgets = exploration != "neural"
    return {
        "cb_type": "mtr",
        "forgetting": trial.suggest_categorical("forgetting", ("auto", "none", 1_000, 4_000)) if forgets else "auto",
        "max_columns": trial.suggest_categorical("max_columns", (64, 256)),
    }


def _vowpal_learner(trial: Trial) -> dict[str, object]:
    return {
        "cb_type": "mtr",
        "forgetting": "auto",
        "learning_rate": trial.suggest_float("learning_rate", 0.1, 8.0, log=True),
        "interactions": trial.suggest_categorical("interactions", ("auto", "none", "quadratic")),
    }


def _vowpal(trial: Trial, exploration: str) -> dict[str, object]:
    if exploration == "egreedy":
        return {"epsilon": trial.suggest_float("epsilon", 0.005, 0.2, log=True)}
    return {"mellowness": trial.suggest_float("mellowness", 1e-4, 0.1, log=True)}
