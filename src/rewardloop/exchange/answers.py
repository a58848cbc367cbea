"""What other policies would have done with the rows of a file, a column each: an action, or a distribution. Nothing is estimated.

A row without an answer is not left out, as other faulty rows are: what the policy earns on the rest is not what it earns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.errors import InvalidInput, RewardloopError, did_you_mean
from rewardloop.exchange.history import HistoryRow
from rewardloop.exchange.row_values import RESERVED, TOLERANCE, action_id, parsed
from rewardloop.exchange.rows import RawRow, Values
from rewardloop.interactions import Floats
from rewardloop.lake.observed import Refused

_ALL_OR_NONE = "Expected an answer of the policy in every row, or what is estimated is another policy"


class Answers:
    """The answers of the newest rows, gathered row by row, and the first that could not be understood."""

    def __init__(self, columns: Sequence[str], newest: int, *, ordered: bool) -> None:
        """`ordered`: rows or the caller said what was on offer, so that a list of probabilities has an order."""
        self._columns = columns
        self._ordered = ordered
        self._rows: deque[tuple[Floats, ...]] = deque(maxlen=newest)
        self._met: set[str] = set()
        self._refused = Refused()
        self._first_problem = ""

    def apart(self, raw: RawRow) -> tuple[RawRow, Values]:
        """The row without these columns, which are no part of its context, and what they hold."""
        if raw.values is None or not self._columns:
            return raw, {}
        answers = {name: raw.values[name] for name in self._columns if name in raw.values}
        self._met |= answers.keys()
        gone = answers.keys() - RESERVED
        return raw._replace(values={name: value for name, value in raw.values.items() if name not in gone}), answers

    def take(self, row: HistoryRow, answers: Values) -> None:
        """The answers to a row that was understood. Raises `InvalidInput` for one that is no choice of one action."""
        if not self._columns:
            return
        if row.slots or row.values:
            raise InvalidInput(
                f"Expected decisions for one action of several, got {'slots' if row.slots else 'values'}", at=f"line {row.line}"
            )
        try:
            self._rows.append(tuple(self._distribution(name, answers.get(name), row.actions) for name in self._columns))
        except RewardloopError as error:
            self._refused = self._refused.one_more(row.line)
            self._first_problem = self._first_problem or str(error)

    def check(self, path: Path, columns: Sequence[str]) -> None:
        """Raises `InvalidInput` unless every row had a distribution in every column; the file has `columns`, if any rows."""
        for name in self._columns if columns else ():
            if name not in self._met:
                known = ", ".join(f"`{column[:40]}`" for column in columns[:12])
                raise InvalidInput(f"Expected a column `{name}`, got {known}{did_you_mean(name, columns)}", at=str(path))
        if n := self._refused.n:
            lines = ", ".join(map(str, self._refused.lines)) + (", …" if n > len(self._refused.lines) else "")
            told = f"{n:,} row{'s have' if n > 1 else ' has'} none that can be used (line {lines})"
            raise InvalidInput(f"{_ALL_OR_NONE}; {told}. The first: {self._first_problem}", at=str(path))

    def by_column(self) -> Mapping[str, Floats]:
        """(Σ K_i,) distributions over what the rows offer."""
        return {name: np.concatenate([row[i] for row in self._rows] or [np.empty(0)]) for i, name in enumerate(self._columns)}

    def _distribution(self, name: str, value: object, actions: ActionSet) -> Floats:
        at = f"$.{name}"
        if value is None:
            raise InvalidInput("Expected an action, or probabilities, got none", at=at)
        if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            value = parsed(value, at)
        if isinstance(value, Mapping):
            return _normalised(_by_id(value, actions, at), at)
        if isinstance(value, list):
            return _normalised(self._in_order(value, actions, at), at)
        pmf = np.zeros(len(actions))
        pmf[actions.index(action_id(value), at)] = 1.0
        return pmf

    def _in_order(self, value: Sequence[object], actions: ActionSet, at: str) -> Sequence[object]:
        if not self._ordered:
            raise InvalidInput(
                "Expected {id: probability}: a list has an order where rows have `actions`, or --actions is given", at=at
            )
        if len(value) != len(actions):
            raise InvalidInput(f"Expected {len(actions)} probabilities, one an action on offer, got {len(value)}", at=at)
        return value


def _by_id(value: Mapping[object, object], actions: ActionSet, at: str) -> Sequence[object]:
    """Actions that are not named have probability 0, as have those named with none (a struct of Parquet names all)."""
    shares: list[object] = [0.0] * len(actions)
    for key, share in value.items():
        if share:
            shares[actions.index(action_id(key), f"{at}.{key}")] = share
    return shares


def _normalised(shares: Sequence[object], at: str) -> Floats:
    """Sums may be off by what 32 bits round."""
    numbers = [float(p) for p in shares if isinstance(p, float | int) and not isinstance(p, bool) and 0 <= p <= 1 + TOLERANCE]
    if len(numbers) != len(shares) or abs(sum(numbers) - 1) > TOLERANCE:
        raise InvalidInput(f"Expected {len(shares)} probabilities that sum to 1", at=at)
    pmf = np.array(numbers)
    normal: Floats = pmf / pmf.sum()
    return normal
