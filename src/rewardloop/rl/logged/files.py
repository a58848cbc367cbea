"""The file of logged episodes: Parquet, a row an episode, columns of lists under Minari's names. docs/offline-rl.md describes it.

`observations` may have one more item than the others: what was seen last. Everything is checked here; a file is hostile.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rewardloop.durable import replace_file, storage
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_ACTIONS
from rewardloop.interactions import Floats, Ints
from rewardloop.rl.logged.episodes import Header, Logged, Mask

KEY: Final = b"rewardloop.episodes"
"""Of the schema's metadata, where the header stands as JSON."""
MAX_BYTES: Final = 8 << 30
"""Unpacked; a file may say that it is larger than any memory."""
_REQUIRED: Final = ("observations", "actions", "rewards")


class _Column(NamedTuple):
    values: np.ndarray[Any, Any]
    """(Σ, d), or (Σ,) of plain numbers."""
    sizes: Ints
    """(n,) items of each episode."""


def write_episodes(path: Path, logged: Logged) -> None:
    """Whole or absent. Raises `StorageUnavailable`."""
    sizes = np.diff(logged.offsets)
    columns: dict[str, Any] = {
        "id": list(logged.ids),
        "total_steps": sizes,
        "observations": _nested(*_with_last(logged)),
        "actions": _nested(logged.action, sizes),
        "rewards": _nested(logged.reward, sizes),
        "terminations": _nested(logged.is_last & np.repeat(logged.terminated, sizes), sizes),
        "truncations": _nested(logged.is_last & np.repeat(~logged.terminated, sizes), sizes),
    }
    for name, column in (("probabilities", logged.probability), ("pmfs", logged.pmf), ("action_masks", logged.masks)):
        if column is not None:
            columns[name] = _nested(column, sizes)
    table = pa.table(columns).replace_schema_metadata({KEY: msgspec.json.encode(logged.header)})
    content = io.BytesIO()
    pq.write_table(table, content)
    with storage(path):
        replace_file(path, content.getvalue())


def read_episodes(path: Path) -> Logged:
    """Raises `InvalidInput` naming the column, and the episode where one is wrong."""
    table = _table(path)
    header = _header(table)
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing or not table.num_rows:
        wanted = f"columns {', '.join(_REQUIRED)}" if missing else "at least one episode"
        raise InvalidInput(f"Expected {wanted}, got {', '.join(table.column_names[:20]) if missing else 'none'}", at=str(path))
    rewards = _column(table, "rewards", np.float64, 1)
    sizes = rewards.sizes
    if (sizes < 1).any():
        raise InvalidInput("Expected at least one step", at=f"$[{int((sizes < 1).argmax())}].rewards")
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    seen = _column(table, "observations", np.float64, 2)
    observation, last = _split(seen, sizes)
    action = _actions(table, sizes)
    _check_header(header, observation, action)
    masks = _optional(table, "action_masks", np.bool_, 2, sizes)
    pmf = _optional(table, "pmfs", np.float64, 2, sizes)
    n_actions = header.n_actions or (_widest(action, pmf, masks) if action.ndim == 1 else 0)
    _check_arms(action, n_actions, pmf, masks)
    return Logged(
        msgspec.structs.replace(header, n_actions=n_actions),
        _ids(table),
        observation,
        last,
        action,
        rewards.values,
        offsets,
        _terminated(table, offsets, sizes),
        _optional(table, "probabilities", np.float64, 1, sizes),
        pmf,
        masks,
    )


def _table(path: Path) -> pa.Table:
    if not path.is_file():
        raise InvalidInput("Expected a Parquet file of episodes, found no file", at=str(path))
    try:
        with pq.ParquetFile(path) as file:
            n_bytes = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
            if n_bytes > MAX_BYTES:
                raise InvalidInput(f"Expected at most {MAX_BYTES >> 30} GiB of episodes, got {n_bytes >> 30}", at=str(path))
            return file.read()
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InvalidInput(
            f"Expected a Parquet file of episodes: {(str(error).splitlines() or ['?'])[0]:.200}", at=str(path)
        ) from None


def _header(table: pa.Table) -> Header:
    raw = (table.schema.metadata or {}).get(KEY)
    try:
        return Header() if raw is None else msgspec.json.decode(raw, type=Header)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidInput(f"Expected a header of episodes in the metadata: {error}", at=KEY.decode()) from None


def _column(table: pa.Table, name: str, kind: type[np.generic], depth: int) -> _Column:
    """A list of numbers (depth 1), or of lists of them (depth 2; plain numbers are lists of one). All present and finite."""
    of = pa.from_numpy_dtype(kind)
    array = table[name].combine_chunks()
    try:
        plain = depth == 2 and not pa.types.is_nested(array.type.value_type)
        wanted = pa.list_(pa.list_(of)) if depth == 2 and not plain else pa.list_(of)
        array = array.cast(wanted)
    except (AttributeError, pa.ArrowException) as error:
        said = str(error).splitlines()[0] if isinstance(error, pa.ArrowException) else f"got {array.type}"
        raise InvalidInput(f"Expected lists of {of}, {depth} deep: {said:.200}", at=f"$.{name}") from None
    inner = array.flatten()
    leaves = inner.flatten() if pa.types.is_list(inner.type) else inner
    if array.null_count or inner.null_count or leaves.null_count:
        raise InvalidInput("Expected no nulls", at=f"$.{name}")
    values = leaves.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InvalidInput(f"Expected finite numbers, got `{values[~np.isfinite(values)][0]}`", at=f"$.{name}")
    sizes = array.value_lengths().to_numpy().astype(np.int64)
    if not pa.types.is_list(inner.type):
        return _Column(values[:, None] if depth == 2 else values, sizes)
    widths = inner.value_lengths().to_numpy()
    if len(widths) and (widths != widths[0]).any():
        raise InvalidInput(f"Expected {widths[0]} numbers in each step, got {widths[(widths != widths[0])][0]}", at=f"$.{name}")
    return _Column(values.reshape(len(widths), -1), sizes)


def _optional(table: pa.Table, name: str, kind: type[np.generic], depth: int, sizes: Ints) -> Any:
    if name not in table.column_names:
        return None
    column = _column(table, name, kind, depth)
    _same(column.sizes, sizes, name)
    return column.values


def _same(found: Ints, sizes: Ints, name: str) -> None:
    if (found != sizes).any():
        row = int((found != sizes).argmax())
        raise InvalidInput(f"Expected {sizes[row]} items as in `rewards`, got {found[row]}", at=f"$[{row}].{name}")


def _actions(table: pa.Table, sizes: Ints) -> Ints | Floats:
    """Whole numbers are numbered actions; lists, or anything with a fraction, are continuous."""
    kind = table.schema.field("actions").type
    inner = getattr(kind, "value_type", None)
    numbered = inner is not None and pa.types.is_integer(inner)
    column = _column(table, "actions", np.int64 if numbered else np.float64, 1 if numbered else 2)
    _same(column.sizes, sizes, "actions")
    return column.values


def _split(seen: _Column, sizes: Ints) -> tuple[Floats, Floats | None]:
    """Observations before each action, and the last ones where every episode has one more."""
    if (seen.sizes == sizes).all():
        return seen.values, None
    if (seen.sizes != sizes + 1).any():
        row = int((seen.sizes != sizes + 1).argmax())
        wanted = f"{sizes[row]} items as in `rewards`, or {sizes[row] + 1} with the last"
        raise InvalidInput(f"Expected {wanted}, alike in all episodes, got {seen.sizes[row]}", at=f"$[{row}].observations")
    ends = np.cumsum(seen.sizes) - 1
    before = np.ones(len(seen.values), bool)
    before[ends] = False
    return seen.values[before], seen.values[ends]


def _terminated(table: pa.Table, offsets: Ints, sizes: Ints) -> Mask:
    """By `terminations`; where those are missing, whatever is not said to be truncated has ended."""
    ended = _optional(table, "terminations", np.bool_, 1, sizes)
    cut = _optional(table, "truncations", np.bool_, 1, sizes)
    ends = offsets[1:] - 1
    if ended is None:
        return np.ones(len(ends), bool) if cut is None else ~cut[ends]
    early = ended.copy()
    early[ends] = False
    if early.any():
        episode = int(np.searchsorted(offsets, int(early.argmax()), "right")) - 1
        raise InvalidInput("Expected an episode to end at its last step", at=f"$[{episode}].terminations")
    return np.asarray(ended[ends], bool)


def _widest(action: Ints | Floats, pmf: Floats | None, masks: Mask | None) -> int:
    return max([int(action.max()) + 1, *(int(column.shape[1]) for column in (pmf, masks) if column is not None)])


def _check_header(header: Header, observation: Floats, action: Ints | Floats) -> None:
    """What it says of the columns must be so: networks are as large as it says."""
    at = KEY.decode()
    if header.inputs and len(header.inputs) != observation.shape[1]:
        raise InvalidInput(f"Expected names of {observation.shape[1]} numbers, got {len(header.inputs)}", at=f"{at}.inputs")
    if header.n_actions < 0 or (header.n_actions and action.ndim != 1):
        raise InvalidInput(f"Expected continuous actions to have no number, got {header.n_actions}", at=f"{at}.n_actions")
    if not header.low and not header.high:
        return
    low, high, width = np.array(header.low), np.array(header.high), action.shape[1] if action.ndim == 2 else 0
    if (
        low.shape != (width,)
        or high.shape != (width,)
        or not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all())
    ):
        raise InvalidInput(f"Expected the box of {width} continuous actions, got {header.low} to {header.high}", at=f"{at}.low")


def _check_arms(action: Ints | Floats, n: int, pmf: Floats | None, masks: Mask | None) -> None:
    if action.ndim == 1 and n > MAX_ACTIONS:
        raise InvalidInput(f"Expected at most {MAX_ACTIONS:,} numbered actions, got {n:,}", at="$.actions")
    if action.ndim == 1 and (action.min() < 0 or action.max() >= n):
        wrong = action[(action < 0) | (action >= n)][0]
        raise InvalidInput(f"Expected actions from 0 to {n - 1}, got {wrong}", at="$.actions")
    for name, column in (("pmfs", pmf), ("action_masks", masks)):
        if column is not None and column.shape[1] != n:
            raise InvalidInput(f"Expected {n} numbers in each step, got {column.shape[1]}", at=f"$.{name}")


def _ids(table: pa.Table) -> tuple[str, ...]:
    if "id" not in table.column_names:
        return tuple(str(i) for i in range(table.num_rows))
    return tuple(str(value) for value in table["id"].to_pylist())


def _with_last(logged: Logged) -> tuple[Floats, Ints]:
    sizes = np.diff(logged.offsets)
    if logged.last is None:
        return logged.observation, sizes
    return np.insert(logged.observation, logged.offsets[1:], logged.last, axis=0), sizes + 1


def _nested(values: np.ndarray[Any, Any], sizes: Ints) -> pa.Array:
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    if values.ndim == 1:
        return pa.ListArray.from_arrays(offsets, pa.array(values))
    steps = pa.array(np.arange(0, values.size + 1, values.shape[1]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.ListArray.from_arrays(steps, pa.array(np.ascontiguousarray(values).ravel())))
