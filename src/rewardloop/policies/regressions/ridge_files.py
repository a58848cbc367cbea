"""How a ridge policy stands on disk: `ridge.json` and the sums in `ridge.npz`. Nothing that is read here is believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.regressions.linear import Event, LinearState
from rewardloop.policies.regressions.memory import Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.sums_files import RidgeConfig, read_state, read_sums, written_sums

ENGINE: Final = "ridge"
_STATE, _SUMS = "ridge.json", "ridge.npz"


class LinearConfig(RidgeConfig, frozen=True):
    """What a policy over fixed arms or cells was made with."""

    interactions: tuple[tuple[str, ...], ...] = ()
    n_factors: Annotated[int, Meta(ge=1)] = 1
    """Numbers of an action that each column is multiplied with, see `surface`; 1: arms that share nothing."""
    n_hidden: Annotated[int, Meta(ge=0, le=1024)] = 0
    """Columns that a hidden layer adds, see `deep`."""


class RidgeState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    config: LinearConfig
    ids: Annotated[tuple[str, ...], Meta(min_length=1)]
    n_learned: Annotated[int, Meta(ge=0)]
    regression: LinearState
    head: list[Event] | None
    """The first events, until there are enough; the newest, where a hidden layer needs them."""


def save_ridge(
    directory: Path,
    state: RidgeState,
    past: Past[Moments],
    engine: str = ENGINE,
    further: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """With `further` files of the engine's own."""
    write_model(directory, engine, {_STATE: msgspec.json.encode(state), _SUMS: written_sums(past), **further})


def load_ridge(directory: Path, engine: str = ENGINE) -> tuple[RidgeState, Past[Moments]]:
    """Raises `CorruptModel` for anything but what `save_ridge` wrote."""
    state_file, sums_file = read_model(directory, engine, (_STATE, _SUMS))
    state = read_state(state_file, RidgeState, _check, directory / _STATE)
    return state, read_sums(sums_file, _blank(state), directory / _SUMS)


def _check(state: RidgeState) -> None:
    columns, n_arms = state.regression.columns, len(state.ids)
    if not all(min(p) >= 0 and list(p) == sorted(p) and p[-1] <= len(columns.columns) for p in columns.pairs):
        raise ValueError("a column that is not there")
    if columns.pairs[:1] != [(0, 0)]:
        raise ValueError("a column that is not there")
    if not all(0 <= arm < n_arms for _, arm, _ in state.head or ()):
        raise ValueError("an arm that is not there")


def _blank(state: RidgeState) -> Past[Moments]:
    shared, config = state.config.n_factors, state.config
    width = len(state.regression.columns.pairs) * shared + config.n_hidden
    return Past.blank(Moments(1 if shared > 1 else len(state.ids), width), config.forgetting)
