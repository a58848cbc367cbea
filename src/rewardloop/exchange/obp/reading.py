"""obp's bandit feedback (Saito et al. 2021, Open Bandit Pipeline): its dictionary of arrays as an `.npz` file, read and written.

Keys as obp names them: `n_rounds`, `n_actions`, `context` (n, d), `action` (n,) from 0, `reward` (n,), `pscore` (n,),
`position` (n,), `pi_b` (n, K, 1). Further `action_ids` (K,), `feature_names` (d,) and `event_ids` (n,), by which a file of our
own comes back as it was. Nothing is ever unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rewardloop.errors import InvalidInput
from rewardloop.exchange.rows import RawRow, Values

MAX_BYTES = 8 << 30
"""Of all arrays together, unpacked."""

Array = npt.NDArray[Any]


def read_obp(path: Path) -> Iterator[RawRow]:
    """One row a round, counting from 1. Raises `InvalidInput` for a file that is no bandit feedback."""
    arrays = _load(path)
    n = len(arrays["action"])
    ids = [str(name) for name in arrays["action_ids"]] if "action_ids" in arrays else None
    for i in range(n):
        yield RawRow(i + 1, _round(arrays, i, ids))


def _load(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise InvalidInput(f"Expected at most {MAX_BYTES} bytes of arrays, got more", at=str(path))
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"Expected an .npz file of plain arrays: {error}", at=str(path)) from None
    _check(arrays, path)
    return arrays


def _check(arrays: dict[str, Array], path: Path) -> None:
    missing = {"context", "action", "reward", "pscore"} - arrays.keys()
    if missing:
        raise InvalidInput(f"Expected obp's bandit feedback, found no `{min(missing)}`", at=str(path))
    n = len(arrays["action"])
    for name in ("context", "reward", "pscore", "pi_b", "position", "event_ids"):
        if name in arrays and arrays[name].ndim and len(arrays[name]) != n:
            raise InvalidInput(f"Expected {n} rows as in `action`, got {len(arrays[name])}", at=f"{path}:{name}")
    if arrays["context"].ndim != 2 or arrays["context"].dtype.kind not in "fiub":
        raise InvalidInput("Expected a matrix of numbers", at=f"{path}:context")


def _round(arrays: dict[str, Array], i: int, ids: Sequence[str] | None) -> Values:
    action = int(arrays["action"][i])
    values: Values = {
        "context": _context(arrays, i),
        "action": ids[action] if ids is not None and 0 <= action < len(ids) else str(action),
        "reward": float(arrays["reward"][i]),
        "probability": float(arrays["pscore"][i]),
    }
    if "pi_b" in arrays and ids is not None:
        values["pmf"] = [float(p) for p in np.ravel(arrays["pi_b"][i])]
    if "event_ids" in arrays:
        values["event_id"] = str(arrays["event_ids"][i])
    return values


def _context(arrays: dict[str, Array], i: int) -> Values:
    numbers = arrays["context"][i].tolist()
    if "feature_names" not in arrays:
        context: Values = {"context": numbers}
    else:
        context = {str(name): value for name, value in zip(arrays["feature_names"], numbers, strict=False) if value}
    if "position" in arrays and arrays["position"].ndim and "feature_names" not in arrays:
        context["position"] = int(arrays["position"][i])
    return context
