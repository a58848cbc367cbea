"""Model ids: `{experiment}.{n}`, or `{experiment}.{n}+{k}` for an online snapshot.

They become folder names, so nothing else passes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rewardloop.errors import UnknownModel

_EXPERIMENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_MODEL_ID = re.compile(r"([a-z0-9][a-z0-9_-]{0,62})\.(0|[1-9][0-9]{0,8})(?:\+([1-9][0-9]{0,8}))?", re.ASCII)


class ModelName(NamedTuple):
    experiment: str
    n: int
    """Counts from 1; 0 is the uniform policy that serves before any training and has no files."""
    snapshot: int = 0
    """Counts from 1 what online learning published on top of model n; 0 is model n itself."""


def model_name(model_id: str) -> ModelName:
    """The parts of a model id; raises `UnknownModel` for any other text.

    >>> model_name("offers.17")
    ModelName(experiment='offers', n=17, snapshot=0)
    >>> model_name("offers.17+3").snapshot
    3
    >>> model_name("../offers.1")
    Traceback (most recent call last):
    rewardloop.errors.UnknownModel: Expected a model id such as `offers.17`, got `'../offers.1'`
    """
    match = _MODEL_ID.fullmatch(model_id)
    if match is None:
        raise UnknownModel(f"Expected a model id such as `offers.17`, got `{ascii(model_id)[:80]}`")
    return ModelName(match[1], int(match[2]), int(match[3] or 0))


def is_model_id(text: str) -> bool:
    return _MODEL_ID.fullmatch(text) is not None


def is_experiment_name(text: str) -> bool:
    return _EXPERIMENT.fullmatch(text) is not None
