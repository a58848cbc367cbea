"""Which settings a search tries: from an Optuna trial to a policy. Optuna is the extra `search`; only its trial is spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from rewardloop.settings import ExperimentSettings, PolicySettings

NATIVE: Final = ("lints", "linucb", "neural")
VOWPAL: Final = ("regcbopt", "squarecb", "egreedy")
_SHORTLISTS: Final = (20, 50, 200)
"""Of twice as many actions and more."""
_WIDEST: Final = 3
"""Cells on either side of the one that CATS chose."""
_Values = dict[str, object]


class Trial(Protocol):
    """What of Optuna's trial is used."""

    def suggest_categorical(self, name: str, choices: Sequence[str | int | float | bool | None]) -> object: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...


class Space(NamedTuple):
    """What is chosen among, besides numbers."""

    explorations: tuple[str, ...]
    shortlists: tuple[int, ...]
    """None besides."""

    @classmethod
    def of(cls, settings: ExperimentSettings, n_actions: int) -> Space:
        """What suits the experiment's actions, and as many on offer at once.

        >>> films = ExperimentSettings(experiment="films")
        >>> Space.of(films, n_actions=500)
        Space(explorations=('lints', 'linucb', 'regcbopt', 'squarecb', 'egreedy'), shortlists=(20, 50, 200))
        >>> Space.of(films, n_actions=20).shortlists
        ()
        """
        fixed = settings.actions is not None and settings.cells is None
        native, cats = (name for name in NATIVE if fixed or name != "neural"), ("cats",) if settings.cells is not None else ()
        brought = settings.actions is None and settings.policy.floor > 0
        return cls((*native, *VOWPAL, *cats), tuple(n for n in _SHORTLISTS if brought and 2 * n <= n_actions))

    def __str__(self) -> str:
        return ", ".join([*self.explorations, *(f"shortlist {n}" for n in self.shortlists)])


def propose(trial: Trial, settings: ExperimentSettings, space: Space) -> PolicySettings:
    """A policy for an experiment: its exploration, then what matters to that one; the floor and all else stay as they are."""
    exploration = str(trial.suggest_categorical("exploration", space.explorations))
    known = msgspec.to_builtins(settings.policy)
    own, learner = _proposed(trial, exploration, settings, space)
    mapping = {**known, "shortlist": None, **own, "exploration": exploration, "learner": {**known["learner"], **learner}}
    return msgspec.convert(mapping, PolicySettings)


def _proposed(trial: Trial, exploration: str, settings: ExperimentSettings, space: Space) -> tuple[_Values, _Values]:
    """Settings of the policy, and of its learner."""
    if exploration == "cats":
        return _cats(trial, settings), {"cb_type": "mtr", "forgetting": "auto", **_steps(trial), "interactions": "auto"}
    if exploration in NATIVE:
        learner = _native_learner(trial, exploration) | ({"interactions": "auto"} if settings.actions is None else {})
        return {"alpha": trial.suggest_float("alpha", 0.01, 1.0, log=True)}, learner
    shortlist = {"shortlist": trial.suggest_categorical("shortlist", (None, *space.shortlists))} if space.shortlists else {}
    return {**_vowpal(trial, exploration), **shortlist}, _vowpal_learner(trial)


def _native_learner(trial: Trial, exploration: str) -> _Values:
    forgets = exploration != "neural"
    return {
        "cb_type": "mtr",
        "forgetting": trial.suggest_categorical("forgetting", ("auto", "none", 1_000, 4_000)) if forgets else "auto",
        "max_columns": trial.suggest_categorical("max_columns", (64, 256)),
    }


def _vowpal_learner(trial: Trial) -> _Values:
    return {
        "cb_type": "mtr",
        "forgetting": "auto",
        **_steps(trial),
        "interactions": trial.suggest_categorical("interactions", ("auto", "none", "quadratic")),
    }


def _steps(trial: Trial) -> _Values:
    return {"learning_rate": trial.suggest_float("learning_rate", 0.1, 8.0, log=True)}


def _cats(trial: Trial, settings: ExperimentSettings) -> _Values:
    n_cells = settings.cells.n if settings.cells is not None else 1
    bandwidths = tuple(range(min(_WIDEST, (n_cells - 1) // 2) + 1))
    return {
        "bandwidth": trial.suggest_categorical("bandwidth", bandwidths),
        "epsilon": trial.suggest_float("epsilon", 0.005, 0.2, log=True),
    }


def _vowpal(trial: Trial, exploration: str) -> _Values:
    if exploration == "egreedy":
        return {"epsilon": trial.suggest_float("epsilon", 0.005, 0.2, log=True)}
    return {"mellowness": trial.suggest_float("mellowness", 1e-4, 0.1, log=True)}
