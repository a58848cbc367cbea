"""Which format a file has, told by its first bytes, and its rows in that format. A file is never held whole, but for `.npz`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from rewardloop.errors import InvalidInput, NotFound
from rewardloop.exchange.columns import check_columns
from rewardloop.exchange.obp.reading import read_obp
from rewardloop.exchange.open_bandit.reading import is_open_bandit, items_beside, native_from_open_bandit, read_items
from rewardloop.exchange.rows import RawRow, csv_columns, csv_rows, json_lines, parquet_columns, parquet_rows
from rewardloop.exchange.vw.reading import is_vw_text, read_vw_text

_BOM = b"\xef\xbb\xbf"


def read_rows(path: Path) -> Iterator[RawRow]:
    """Rows as they stand. Raises `NotFound`, and `InvalidInput` for a file that holds no rows of any kind."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise NotFound(f"Cannot read `{path}`: {error.strerror}") from None
    if start.startswith(b"PAR1"):
        return parquet_rows(path)
    if start.startswith(b"PK"):
        return read_obp(path)
    text = start.removeprefix(_BOM).lstrip()
    if text.startswith(b"[") and not _is_checkpoint(text):
        raise InvalidInput("Expected JSON lines (an object on each line), got a JSON array", at=str(path))
    if text.startswith((b"{", b"[")):
        return json_lines(path)
    return _table(path) if _is_table(text) else read_vw_text(path)


def read_events(path: Path) -> Iterator[RawRow]:
    """The same rows, where they are to be decisions with rewards: raises `InvalidInput` for a table without columns for those."""
    rows = read_rows(path)
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PAR1"):
        check_columns(parquet_columns(path), path)
    elif _is_table(start.removeprefix(_BOM).lstrip()) and not start.startswith(b"PK"):
        check_columns(csv_columns(path), path)
    return rows


def _is_table(text: bytes) -> bool:
    return not text.startswith((b"{", b"[")) and not is_vw_text(text)


def _is_checkpoint(text: bytes) -> bool:
    """Decision Service logs may begin with a line in brackets that is no event."""
    _, _, second = text.partition(b"\n")
    return second.lstrip().startswith(b"{")


def _table(path: Path) -> Iterator[RawRow]:
    """CSV, of which the Open Bandit Dataset's is known by its columns."""
    rows = csv_rows(path)
    first = next(rows, None)
    if first is None:
        return iter(())
    whole = chain([first], rows)
    return _open_bandit(path, whole) if first.values is not None and is_open_bandit(first.values) else whole


def _open_bandit(path: Path, rows: Iterator[RawRow]) -> Iterator[RawRow]:
    beside = items_beside(path)
    items = read_items(csv_rows(beside)) if beside else None
    for row in rows:
        understood = row.values is not None and is_open_bandit(row.values)
        yield row._replace(values=native_from_open_bandit(row.values or {}, items)) if understood else row
