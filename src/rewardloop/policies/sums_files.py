"""The sums of a regression as bytes of a NumPy archive. Nothing that is read here is believed."""

from __future__ import annotations

from io import BytesIO
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from rewardloop.policies.memory import Past
from rewardloop.policies.moments import Moments

UNREADABLE: Final = (ValueError, KeyError, OSError, EOFError, BadZipFile, NotImplementedError)
"""What `read_sums` raises for anything but what `written_sums` wrote."""
_RECENT: Final = "recent_"


def written_sums(past: Past) -> bytes:
    """The inverses are saved too: after rank-one updates a fresh one has other bits."""
    sums, recent = BytesIO(), _arrays(past.recent, _RECENT) if past.recent else {}
    np.savez(sums, allow_pickle=False, **_arrays(past.moments, ""), **recent)
    return sums.getvalue()


def read_sums(content: bytes, blank: Past) -> Past:
    """Fills `blank`, which has the shapes that are expected. Raises one of `UNREADABLE`."""
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        for moments, prefix in zip(blank, ("", _RECENT), strict=True):
            for name, into in (_arrays(moments, prefix) if moments else {}).items():
                into[...] = _array(arrays[name], name, into)
    return blank


def _arrays(moments: Moments, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
    """The sums under their names in the file; writing into them changes the moments."""
    sums = {"gram": moments.gram, "rewarded": moments.rewarded, "inverse": moments.inverse, "n_updates": moments.n_updates}
    return {prefix + name: array for name, array in sums.items()}


def _array(found: npt.NDArray[np.generic], name: str, like: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    if (found.shape, found.dtype) != (like.shape, like.dtype):
        raise ValueError(f"`{name}` should be {like.dtype} {like.shape}, is {found.dtype} {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"`{name}` should be finite")
    return found
