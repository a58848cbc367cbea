"""How a policy over actions with features stands on disk: `featured.json` and the sums in `featured.npz`. Nothing is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from rewardloop.errors import CorruptModel
from rewardloop.policies.design.beginning import BeginningState
from rewardloop.policies.design.joint_terms import CANDIDATES
from rewardloop.policies.design.terms import TermsState
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.regressions.bilinear import BilinearState
from rewardloop.policies.regressions.memory import Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.roots import Roots
from rewardloop.policies.regressions.sums_files import RidgeConfig, read_state, read_sums, written_sums

ENGINE: Final = "featured"
_STATE, _SUMS = "featured.json", "featured.npz"


class FeaturedState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    config: RidgeConfig
    regression: BilinearState | None
    """None until something was learned."""
    beginning: BeginningState | None
    """None once it is over."""
    sums: Literal["moments", "roots"] = "moments"
    """What is in the archive: models of earlier versions have sums, of which a root is made."""


def save_featured(directory: Path, state: FeaturedState, past: Past[Roots] | None) -> None:
    write_model(directory, ENGINE, {_STATE: msgspec.json.encode(state), _SUMS: written_sums(past) if past else b""})


def load_featured(directory: Path) -> tuple[FeaturedState, Past[Roots] | None]:
    """Raises `CorruptModel` for anything but what `save_featured` wrote."""
    state_file, sums_file = read_model(directory, ENGINE, (_STATE, _SUMS))
    state = read_state(state_file, FeaturedState, _check, directory / _STATE)
    if state.regression is None:
        return state, None
    return state, _past(state.config, state.regression.terms, state.sums, sums_file, directory / _SUMS)


def _past(config: RidgeConfig, terms: TermsState, kind: Literal["moments", "roots"], content: bytes, path: Path) -> Past[Roots]:
    room, width = config.max_columns + 1, len(terms.terms)
    blank = Roots(width, room, terms.apart)
    if kind == "roots":
        return _sound(read_sums(content, Past.blank(blank, config.forgetting), path), path)
    sums, recent = read_sums(content, Past.blank(Moments(1, width), config.forgetting), path)
    try:
        return Past(Roots.of(sums, room), Roots.of(recent, room) if recent is not None else None)
    except ValueError as error:
        raise CorruptModel(f"Expected the sums of a ridge regression: {error}", at=str(path)) from None


def _sound(past: Past[Roots], path: Path) -> Past[Roots]:
    if not all(roots.sound for roots in past if roots is not None):
        raise CorruptModel("Expected the sums of a ridge regression: a variance or a count that cannot be", at=str(path))
    return past


def _check(state: FeaturedState) -> None:
    if state.regression is None:
        if state.beginning is None:
            raise ValueError("neither weights nor a beginning")
        return
    terms = state.regression.terms
    if terms.terms[:1] != [(0, 0)] or not all(i <= len(terms.context) and j <= len(terms.action) for i, j in terms.terms):
        raise ValueError("a term of columns that are not there")
    if len(terms.terms) > max(CANDIDATES if state.sums == "roots" else 0, state.config.max_columns) + 1:
        raise ValueError("more terms than there may be")
    if terms.scales and len(terms.scales) != len(terms.terms):
        raise ValueError("a scale without a term, or a term without one")
    for columns in (terms.context, terms.action):
        if len(set(columns)) != len(columns):
            raise ValueError("two columns of one feature")
        if not all(0 < min(one.factors) <= max(one.factors) <= at for at, one in enumerate(columns) if one.kind == "product"):
            raise ValueError("a product of columns that are not there")
