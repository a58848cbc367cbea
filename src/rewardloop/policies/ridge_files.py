"""How a ridge policy stands on disk: `ridge.json` and the sums in `ridge.npz`. Nothing that is read here is believed."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal
from zipfile import BadZipFile

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from rewardloop.errors import CorruptModel
from rewardloop.features import Features
from rewardloop.policies.memory import Forgetting, Past
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.moments import Moments
from rewardloop.policies.regression import RegressionState

ENGINE: Final = "ridge"
_STATE, _SUMS = "ridge.json", "ridge.npz"
_RECENT: Final = "recent_"


class Config(msgspec.Struct, frozen=True):
    """What a policy was made with."""

    rule: Literal["lints", "linucb"]
    alpha: Annotated[float, Meta(gt=0)]
    seed: Annotated[int, Meta(ge=0)]
    max_columns: Annotated[int, Meta(ge=1)]
    range: tuple[float, float] | None
    forgetting: Forgetting = "none"
    interactions: tuple[tuple[str, ...], ...] = ()
    n_factors: Annotated[int, Meta(ge=1)] = 1
    """Numbers of an action that each column is multiplied with, see `surface`; 1: arms that share nothing."""
    n_hidden: Annotated[int, Meta(ge=0, le=1024)] = 0
    """Columns that a hidden layer adds, see `deep`."""


class RidgeState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    config: Config
    ids: Annotated[tuple[str, ...], Meta(min_length=1)]
    n_learned: Annotated[int, Meta(ge=0)]
    regression: RegressionState
    head: list[tuple[Features, int, float]] | None
    """Context, arm and reward of the first events, until there are enough; of the newest, where a hidden layer needs them."""


def save_ridge(
    directory: Path, state: RidgeState, past: Past, engine: str = ENGINE, further: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """With `further` files of the engine's own. The inverses are saved too: after rank-one updates a fresh one has other bits."""
    sums, recent = BytesIO(), _arrays(past.recent, _RECENT) if past.recent else {}
    np.savez(sums, allow_pickle=False, **_arrays(past.moments, ""), **recent)
    write_model(directory, engine, {_STATE: msgspec.json.encode(state), _SUMS: sums.getvalue(), **further})


def load_ridge(directory: Path, engine: str = ENGINE) -> tuple[RidgeState, Past]:
    """Raises `CorruptModel` for anything but what `save_ridge` wrote."""
    state_file, sums_file = read_model(directory, engine, (_STATE, _SUMS))
    try:
        state = msgspec.json.decode(state_file, type=RidgeState)
        _check(state)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CorruptModel(f"Expected the state of a ridge policy: {error}", at=str(directory / _STATE)) from None
    try:
        return state, _past(sums_file, state)
    except (ValueError, KeyError, OSError, EOFError, BadZipFile, NotImplementedError) as error:
        raise CorruptModel(f"Expected the sums of a ridge policy: {error}", at=str(directory / _SUMS)) from None


def _check(state: RidgeState) -> None:
    columns, n_arms = state.regression.columns, len(state.ids)
    if not all(min(p) >= 0 and list(p) == sorted(p) and p[-1] <= len(columns.columns) for p in columns.pairs):
        raise ValueError("a column that is not there")
    if columns.pairs[:1] != [(0, 0)]:
        raise ValueError("a column that is not there")
    if not all(0 <= arm < n_arms for _, arm, _ in state.head or ()):
        raise ValueError("an arm that is not there")


def _arrays(moments: Moments, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
    """The sums under their names in the file; writing into them changes the moments."""
    sums = {"gram": moments.gram, "rewarded": moments.rewarded, "inverse": moments.inverse, "n_updates": moments.n_updates}
    return {prefix + name: array for name, array in sums.items()}


def _past(content: bytes, state: RidgeState) -> Past:
    shared, config = state.config.n_factors, state.config
    width = len(state.regression.columns.pairs) * shared + config.n_hidden
    past = Past.blank(1 if shared > 1 else len(state.ids), width, config.forgetting)
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        for moments, prefix in zip(past, ("", _RECENT), strict=True):
            for name, into in (_arrays(moments, prefix) if moments else {}).items():
                into[...] = _array(arrays[name], name, into)
    return past


def _array(found: npt.NDArray[np.generic], name: str, like: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    if (found.shape, found.dtype) != (like.shape, like.dtype):
        raise ValueError(f"`{name}` should be {like.dtype} {like.shape}, is {found.dtype} {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"`{name}` should be finite")
    return found
