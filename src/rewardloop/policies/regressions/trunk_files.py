"""How a policy with a hidden layer stands on disk: a ridge policy's files and `trunk.npz`. Nothing that is read is believed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from rewardloop.errors import CorruptModel
from rewardloop.policies.model_files import read_model
from rewardloop.policies.regressions.memory import Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.ridge_files import RidgeState, load_ridge, save_ridge
from rewardloop.policies.regressions.sums_files import UNREADABLE
from rewardloop.policies.regressions.trunk import Trunk

ENGINE: Final = "neural"
_TRUNK: Final = "trunk.npz"


def save_deep(directory: Path, state: RidgeState, past: Past[Moments], trunk: Trunk) -> None:
    layer = BytesIO()
    np.savez(layer, allow_pickle=False, **trunk._asdict())
    save_ridge(directory, state, past, ENGINE, {_TRUNK: layer.getvalue()})


def load_deep(directory: Path) -> tuple[RidgeState, Past[Moments], Trunk]:
    """Raises `CorruptModel` for anything but what `save_deep` wrote."""
    state, past = load_ridge(directory, ENGINE)
    (content,) = read_model(directory, ENGINE, (_TRUNK,))
    try:
        return state, past, _trunk(content, state)
    except UNREADABLE as error:
        raise CorruptModel(f"Expected the hidden layer of a policy: {error}", at=str(directory / _TRUNK)) from None


def _trunk(content: bytes, state: RidgeState) -> Trunk:
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        trunk = Trunk(*(arrays[name] for name in Trunk._fields))
    n_units, n_columns = state.config.n_hidden, len(state.regression.columns.columns)
    if trunk.weights.ndim != 2 or trunk.n_inputs > n_columns:
        raise ValueError(f"`weights` should be of at most {n_columns} columns, is {trunk.weights.shape}")
    for name, array in zip(Trunk._fields, trunk, strict=True):
        if array.shape[-1:] != (n_units,) or array.ndim != (2 if name == "weights" else 1) or array.dtype != np.float64:
            raise ValueError(f"`{name}` should be float64 of {n_units} units, is {array.dtype} {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"`{name}` should be finite")
    return trunk
