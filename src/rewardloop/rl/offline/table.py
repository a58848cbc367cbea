"""What each algorithm can do, and its hyperparameters with their bounds. An unknown name is refused with the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.rl.algorithms import ACTIONS, Rows
from rewardloop.rl.spaces import ActionKind, ObservationKind

TOOLKIT: Final = "offline"
_SEEN: tuple[ObservationKind, ...] = ("box", "multi_discrete", "multi_binary", "dict", "goal")
_COUNTED: tuple[ActionKind, ...] = ("discrete", "multi_discrete", "multi_binary")

Positive = Annotated[float, Meta(gt=0, le=1e6)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Those of every algorithm."""

    gamma: Share = 0.99
    learning_rate: Positive = 1e-3
    batch_size: Annotated[int, Meta(ge=1, le=65_536)] = 256
    net_arch: tuple[Annotated[int, Meta(ge=1, le=4_096)], ...] = (64, 64)


class WithBeta(Parameters, frozen=True, kw_only=True):
    """Weights are exp(beta × advantage)."""

    beta: Annotated[float, Meta(ge=0, le=100)] = 1.0


class WithTarget(Parameters, frozen=True, kw_only=True):
    """The target network follows by this share a step."""

    tau: Share = 0.01


class Conservative(WithTarget, frozen=True, kw_only=True):
    alpha: Annotated[float, Meta(ge=0, le=1e3)] = 1.0
    """How much values of what was not done are pushed down."""


class Constrained(WithTarget, frozen=True, kw_only=True):
    threshold: Share = 0.3
    """An action is considered where it was done at least this share as often as the most frequent."""


class Implicit(WithTarget, frozen=True, kw_only=True):
    beta: Annotated[float, Meta(ge=0, le=100)] = 3.0
    expectile: Annotated[float, Meta(gt=0, lt=1)] = 0.7


PARAMETERS: Final[Mapping[str, type[Parameters]]] = MappingProxyType(
    {"bc": Parameters, "marwil": WithBeta, "iql": Implicit, "cql": Conservative, "bcq": Constrained}
)


_row: Final = Rows(TOOLKIT, _SEEN).row

ROWS: Final = (
    _row("bc", "Behaviour cloning", ACTIONS, "offline", source="Pomerleau 1991"),
    _row("marwil", "Advantage-weighted behaviour cloning", ACTIONS, "offline", source="Wang et al. 2018"),
    _row("iql", "Implicit Q-learning", ACTIONS, "offline", source="Kostrikov et al. 2021"),
    _row("cql", "Conservative Q-learning", _COUNTED, "offline", source="Kumar et al. 2020"),
    _row("bcq", "Batch-constrained Q-learning", _COUNTED, "offline", source="Fujimoto et al. 2019"),
)


def parameters_of(algorithm: str, given: Mapping[str, Any]) -> Parameters:
    """Raises `InvalidInput`.

    >>> parameters_of("cql", {"alpha": 0.5}).gamma
    0.99
    >>> parameters_of("cql", {"alfa": 0.5})
    Traceback (most recent call last):
    rewardloop.errors.InvalidInput: `cql` has no hyperparameter `alfa`; did you mean `alpha`? - at `--param`
    """
    kind = PARAMETERS[algorithm]
    known = kind.__struct_fields__
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it takes {', '.join(sorted(known))}"
            raise InvalidInput(f"`{algorithm}` has no hyperparameter `{name}`{hint}", at="--param")
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`{algorithm}` refuses its hyperparameters: {error}", at="--param") from None
