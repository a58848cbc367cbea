"""A labelled data set as a bandit: the context is a row, the actions are the classes, the reward is 1 for the right one.

The learner sees the reward of the action it chose and no other; because the world knows all labels, it can say what uniform
choice, the best fixed action and a classifier trained on all labels (the skyline) would earn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.features import Features

MAX_ROWS = 100_000
MAX_CLASSES = 100


class References(msgspec.Struct, frozen=True):
    """Expected reward a round of three policies that need no bandit."""

    uniform: float
    best_fixed: float
    skyline: float
    """Cross-validated accuracy of a logistic regression that sees every label."""


@dataclass(frozen=True, slots=True)
class World:
    """n labelled rows."""

    name: str
    contexts: list[Features]
    labels: npt.NDArray[np.int64]
    """(n,) position of each row's class in `actions`."""
    actions: tuple[str, ...]

    def rounds(self, n: int, generator: np.random.Generator) -> Iterator[tuple[Features, str]]:
        """n rows drawn with replacement, each with the action that would be rewarded."""
        for row in generator.integers(len(self.contexts), size=n):
            yield self.contexts[row], self.actions[self.labels[row]]

    def references(self) -> References:
        """What the world would pay to policies that are not bandits."""
        counts = np.bincount(self.labels, minlength=len(self.actions))
        return References(1 / len(self.actions), float(counts.max() / counts.sum()), self._skyline())

    def _skyline(self, folds: int = 3, rows: int = 5_000) -> float:
        from sklearn.feature_extraction import DictVectorizer  # noqa: PLC0415 - heavy, and only the demo needs it
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.model_selection import KFold, cross_val_score  # noqa: PLC0415
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415
        from sklearn.preprocessing import MaxAbsScaler  # noqa: PLC0415

        chosen = np.random.default_rng(0).permutation(len(self.contexts))[:rows]
        model = make_pipeline(DictVectorizer(), MaxAbsScaler(), LogisticRegression(max_iter=2_000, C=10))
        split = KFold(folds, shuffle=True, random_state=0)
        return float(cross_val_score(model, [self.contexts[i] for i in chosen], self.labels[chosen], cv=split).mean())


def digits() -> World:
    """1,797 handwritten digits of 8 × 8 pixels (UCI, as shipped with scikit-learn): which digit is this?"""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - heavy, and only the demo needs it

    pixels, labels = load_digits(return_X_y=True)
    names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    contexts: list[Features] = [dict(zip(names, map(float, image), strict=True)) for image in pixels]
    return World("digits", contexts, labels.astype(np.int64), tuple("0123456789"))


def from_csv(path: Path, label: str | None = None) -> World:
    """Any CSV with a header and a label column (the last one by default); empty cells are absent features.

    Raises `InvalidInput` where the file cannot be read, the column is unknown, or it has fewer than 2 or more than 100 classes.
    """
    names, rows = _read_csv(path)
    label = label if label is not None else names[-1]
    if label not in names:
        raise InvalidInput(f"Unknown label column `{label}` in {path}{did_you_mean(label, names)}", at="--label")
    at = names.index(label)
    labelled = [row for row in rows if row[at] is not None]
    classes = sorted({str(row[at]) for row in labelled})
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise InvalidInput(f"Expected 2 to {MAX_CLASSES} classes in column `{label}` of {path}, got {len(classes)}", at="--label")
    contexts = [_context(names, row, at) for row in labelled]
    labels = np.array([classes.index(str(row[at])) for row in labelled], dtype=np.int64)
    return World(path.stem, contexts, labels, tuple(classes))


def _read_csv(path: Path) -> tuple[list[str], list[tuple[object, ...]]]:
    try:
        with duckdb.connect() as connection:
            found = connection.execute("SELECT * FROM read_csv(?) LIMIT ?", [str(path), MAX_ROWS])
            return [column[0] for column in found.description], found.fetchall()
    except duckdb.Error as error:
        raise InvalidInput(f"Expected a CSV file with a header in {path}: {str(error).splitlines()[0]}", at="--data") from None


def _context(names: list[str], row: tuple[object, ...], label: int) -> Features:
    return {
        _key(name): _value(value)
        for i, (name, value) in enumerate(zip(names, row, strict=True))
        if i != label and value is not None
    }


def _key(name: str) -> str:
    return name.lstrip("_") or "unnamed"


def _value(value: object) -> float | str:
    return float(value) if isinstance(value, int | float) else str(value)
