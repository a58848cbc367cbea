"""What every ridge policy has on disk: its state as JSON, the sums of its regression as a NumPy archive. Nothing is believed."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from zipfile import BadZipFile

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from rewardloop.errors import CorruptModel
from rewardloop.policies.regressions.memory import Forgetting, Past, Sums

S = TypeVar("S")
M = TypeVar("M", bound=Sums)

UNREADABLE: Final = (ValueError, KeyError, OSError, EOFError, BadZipFile, NotImplementedError)
"""What NumPy raises for an archive that it did not write."""
_RECENT: Final = "recent_"


class RidgeConfig(msgspec.Struct, frozen=True):
    """What any of them was made with."""

    rule: Literal["lints", "linucb"]
    alpha: Annotated[float, Meta(gt=0)]
    seed: Annotated[int, Meta(ge=0)]
    max_columns: Annotated[int, Meta(ge=1)]
    range: tuple[float, float] | None
    forgetting: Forgetting = "none"


def read_state(content: bytes, kind: type[S], check: Callable[[S], None], path: Path) -> S:
    """`check` raises `ValueError` for what the types do not forbid. Raises `CorruptModel` with the path."""
    try:
        state = msgspec.json.decode(content, type=kind)
        check(state)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CorruptModel(f"Expected the state of a ridge policy: {error}", at=str(path)) from None
    return state


def written_sums(past: Past[M]) -> bytes:
    """Inverses are saved too: after rank-one updates a fresh one has other bits."""
    sums, recent = BytesIO(), _arrays(past.recent, _RECENT) if past.recent else {}
    np.savez(sums, allow_pickle=False, **_arrays(past.moments, ""), **recent)
    return sums.getvalue()


def read_sums(content: bytes, blank: Past[M], path: Path) -> Past[M]:
    """Fills `blank`, which has the shapes that are expected. Raises `CorruptModel` with the path."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            for moments, prefix in zip(blank, ("", _RECENT), strict=True):
                for name, into in (_arrays(moments, prefix) if moments else {}).items():
                    into[...] = _array(arrays[name], name, into)
    except UNREADABLE as error:
        raise CorruptModel(f"Expected the sums of a ridge regression: {error}", at=str(path)) from None
    return blank


def _arrays(sums: Sums, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
    return {prefix + name: array for name, array in sums.arrays().items()}


def _array(found: npt.NDArray[np.generic], name: str, like: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    if (found.shape, found.dtype) != (like.shape, like.dtype):
        raise ValueError(f"`{name}` should be {like.dtype} {like.shape}, is {found.dtype} {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"`{name}` should be finite")
    return found
