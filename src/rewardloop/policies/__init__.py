"""Policies: a context and the actions on offer become a distribution. This file picks the engine; engines know nothing of it.

Engines are found by the entry points of group `rewardloop.policies`. A package of your own adds one by declaring a class
under a name; named after an exploration policy (`squarecb = "yours:SquareCB"`) it serves that one instead of ours. It saves
a `policy.json` with that name as its engine (`model_files.write_model` does).

Contract      `contract`; how a model begins on disk, `model_files`
Served        `exploration` makes the probability that is logged, with `exposure` limits; `plackett_luce` that of rankings;
              `continuous` the density of a value, `spreads` those of many at once
Native        `native` has a policy a kind of action; they explore over `regressions`, whose columns `design` makes
Other engines `vw`; `onnx` for what was trained in a simulator (`onnx_head` makes a distribution of it); `uniform`
Shared        `namespaces`, `scaling` of features, the range of `rewards`, `products` of matrices
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol

from rewardloop.errors import CorruptModel, InvalidSettings, did_you_mean
from rewardloop.policies.contract import Policy
from rewardloop.policies.model_files import HEADER, read_header
from rewardloop.settings import ExperimentSettings

__all__ = ["Engine", "Policy", "load_policy", "new_policy"]

GROUP: Final = "rewardloop.policies"
_OURS: Final = {"lints": "ridge", "linucb": "ridge", "neural": "neural", "uniform": "uniform", "cats": "cats"}


class Engine(Protocol):
    """What an entry point holds: a class, or anything else with these two."""

    def new(self, settings: ExperimentSettings, seed: int) -> Policy: ...

    def load(self, directory: Path) -> Policy: ...


def new_policy(settings: ExperimentSettings, seed: int) -> Policy:
    """A policy that has learned nothing; raises `InvalidSettings` where its engine cannot do what the settings ask.

    >>> from rewardloop.actions import fixed_actions
    >>> policy = new_policy(ExperimentSettings(experiment="offers", actions=("a", "b")), seed=0)
    >>> policy.pmf({"age": 31}, fixed_actions(["a", "b"]))
    [0.5, 0.5]
    """
    exploration = settings.exploration
    ours = _OURS.get(exploration, "vw")
    if ours == "ridge" and (settings.cells is not None or settings.actions is None):
        ours = "featured" if settings.actions is None else "cells"
    if ours == "vw" and settings.policy.shortlist is not None:
        ours = "shortlist"
    return _engine(exploration if exploration in _engines() else ours).new(settings, seed)


def load_policy(directory: Path) -> Policy:
    """The policy that was saved there, by whichever engine; raises `CorruptModel`."""
    name = read_header(directory).engine
    if name not in _engines():
        message = f"Expected an installed engine, got `{name}`{did_you_mean(name, _engines())}; install the package that has it"
        raise CorruptModel(message, at=str(directory / HEADER))
    return _engine(name).load(directory)


@cache
def _engines() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _engine(name: str) -> Engine:
    point = _engines().get(name)
    if point is None:
        raise InvalidSettings(f"Expected engine `{name}` among {sorted(_engines())}; install the package again", at="$.policy")
    try:
        engine: Engine = point.load()
    except ImportError as error:
        raise InvalidSettings(f"Engine `{name}` needs a package that is missing ({error}); install `rewardloop[{name}]`") from None
    return engine
