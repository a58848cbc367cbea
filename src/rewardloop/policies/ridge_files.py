"""How a ridge policy stands on disk: `ridge.json` and the sums in `ridge.npz`. Nothing that is read here is believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from rewardloop.errors import CorruptModel
from rewardloop.features import Features
from rewardloop.policies.memory import Forgetting, Past
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.regression import RegressionState
from rewardloop.policies.sums_files import UNREADABLE, read_sums, written_sums

ENGINE: Final = "ridge"
_STATE, _SUMS = "ridge.json", "ridge.npz"


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
    """With `further` files of the engine's own."""
    write_model(directory, engine, {_STATE: msgspec.json.encode(state), _SUMS: written_sums(past), **further})


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
    except UNREADABLE as error:
        raise CorruptModel(f"Expected the sums of a ridge policy: {error}", at=str(directory / _SUMS)) from None


def _check(state: RidgeState) -> None:
    columns, n_arms = state.regression.columns, len(state.ids)
    if not all(min(p) >= 0 and list(p) == sorted(p) and p[-1] <= len(columns.columns) for p in columns.pairs):
        raise ValueError("a column that is not there")
    if columns.pairs[:1] != [(0, 0)]:
        raise ValueError("a column that is not there")
    if not all(0 <= arm < n_arms for _, arm, _ in state.head or ()):
        raise ValueError("an arm that is not there")


def _past(content: bytes, state: RidgeState) -> Past:
    shared, config = state.config.n_factors, state.config
    width = len(state.regression.columns.pairs) * shared + config.n_hidden
    return read_sums(content, Past.blank(1 if shared > 1 else len(state.ids), width, config.forgetting))
