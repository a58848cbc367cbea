"""Nested state (of an optimiser, of a network) as JSON and plain arrays, and back: what others pickle."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rewardloop.errors import Corrupt

Tree = Any
"""Dicts, lists, tuples, numbers, texts, None and arrays."""


def write_tree(path: Path, tree: Tree) -> None:
    """One `.npz` file: its member `tree` is JSON that refers to the arrays by number.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "state.npz")
    ...     write_tree(path, {"state": {0: np.array([1.5])}, "betas": (0.9, None)})
    ...     read_tree(path)
    {'state': {0: array([1.5])}, 'betas': (0.9, None)}
    """
    arrays: list[np.ndarray[Any, Any]] = []
    plain = _pack(tree, arrays)
    members = {f"a{i}": array for i, array in enumerate(arrays)}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, tree=np.frombuffer(msgspec.json.encode(plain), np.uint8), **members)
    path.write_bytes(content.getvalue())


def read_tree(path: Path) -> Tree:
    """Raises `Corrupt` where the file is missing or not what `write_tree` writes."""
    try:
        with np.load(path, allow_pickle=False) as members:
            return _unpack(msgspec.json.decode(members["tree"].tobytes()), members)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise Corrupt(f"Expected the state of a training at {path}: {error}") from None
    except Exception as error:  # A damaged zip file raises what its own module defines.
        raise Corrupt(f"Expected the state of a training at {path}, got a damaged file: {error}") from None


def _pack(value: Tree, arrays: list[np.ndarray[Any, Any]]) -> object:
    if isinstance(value, Mapping):
        return ["d", [[key, _pack(part, arrays)] for key, part in value.items()]]
    if isinstance(value, list | tuple):
        return ["l" if isinstance(value, list) else "t", [_pack(part, arrays) for part in value]]
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return ["a", len(arrays) - 1]
    return ["v", value.item() if isinstance(value, np.generic) else value]


def _unpack(packed: Any, members: Mapping[str, np.ndarray[Any, Any]]) -> Tree:
    kind, value = packed
    match kind:
        case "d":
            return {key: _unpack(part, members) for key, part in value}
        case "l":
            return [_unpack(part, members) for part in value]
        case "t":
            return tuple(_unpack(part, members) for part in value)
        case "a":
            return members[f"a{value}"]
    return value
