"""A labelled data set as a bandit: the context is a row, the actions are the classes, the reward is 1 for the right one.

The learner sees the reward of the action it chose and no other; because the world knows all labels, it can say what uniform
choice, the best fixed action and a classifier trained on all labels (the skyline) would earn.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.errors import InvalidInput
from rewardloop.features import Features
from rewardloop.worlds.labelled import Labelled, read_labelled
from rewardloop.worlds.stream import Stream

MAX_CLASSES = 100
FOLDS = 3


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

    @property
    def arms(self) -> ActionSet:
        return fixed_actions(self.actions)

    @property
    def mean_delay(self) -> float:
        return 0.0

    def stream(self, n: int, generator: np.random.Generator) -> Stream:
        """All rows in a random order, and when they are used up again in another."""
        size = len(self.contexts)
        rows = np.concatenate([generator.permutation(size) for _ in range(-(-n // size))])[:n]
        means = np.eye(len(self.actions))[self.labels[rows]]
        return Stream([self.contexts[row] for row in rows.tolist()], means, means)

    def skyline(self) -> float | None:
        return self.references().skyline

    def references(self) -> References:
        """What the world would pay to policies that are not bandits."""
        counts = np.bincount(self.labels, minlength=len(self.actions))
        best_fixed = float(counts.max() / counts.sum())
        return References(1 / len(self.actions), best_fixed, max(self._skyline(), best_fixed))

    def _skyline(self, rows: int = 3_000) -> float:
        from sklearn.feature_extraction import DictVectorizer  # noqa: PLC0415 - heavy, and only the demo needs it
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.model_selection import StratifiedKFold, cross_val_score  # noqa: PLC0415
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415
        from sklearn.preprocessing import MaxAbsScaler  # noqa: PLC0415

        chosen = self._of_common_classes(np.random.default_rng(0).permutation(len(self.contexts))[:rows])
        if len(np.unique(self.labels[chosen])) < 2:
            return 0.0
        model = make_pipeline(DictVectorizer(), MaxAbsScaler(), LogisticRegression(max_iter=300, C=10))
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of slow convergence: this is a line to compare with, no model.
            scores = cross_val_score(model, [self.contexts[i] for i in chosen], self.labels[chosen], cv=split)
        return float(np.mean(scores))

    def _of_common_classes(self, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Those rows whose class every fold can know."""
        counts = np.bincount(self.labels[chosen], minlength=len(self.actions))
        return chosen[counts[self.labels[chosen]] >= FOLDS]


def digits() -> World:
    """1,797 handwritten digits of 8 × 8 pixels (UCI, as shipped with scikit-learn): which digit is this?"""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - heavy, and only the demo needs it

    pixels, labels = load_digits(return_X_y=True)
    names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    contexts: list[Features] = [dict(zip(names, map(float, image), strict=True)) for image in pixels]
    return World("digits", contexts, labels.astype(np.int64), tuple("0123456789"))


def from_file(path: Path, label: str | None = None) -> World:
    """Any CSV with a header, or Parquet file, and a label column, by default the last.

    Raises `InvalidInput` where it cannot be read, or where a bandit has nothing to choose or to learn from: fewer than 2 or
    more than 100 classes, or fewer than 2 classes with 3 rows each.
    """
    return classified(path.stem, path, read_labelled(path, label))


def classified(name: str, path: Path, rows: Labelled) -> World:
    """The world of rows that were read; raises `InvalidInput` as `from_file` does."""
    classes, labels, counts = np.unique(rows.labels, return_inverse=True, return_counts=True)
    if not 2 <= len(classes) <= MAX_CLASSES:
        few = "a single class" if len(classes) == 1 else f"{len(classes):,} different values"
        raise InvalidInput(f"Expected a label column with 2 to {MAX_CLASSES} classes, got {few} in {path}", at="--label")
    if np.sum(counts >= FOLDS) < 2:
        raise InvalidInput(f"Expected at least 2 classes with {FOLDS} rows each, got {len(labels)} rows", at=str(path))
    return World(name, rows.contexts, labels.astype(np.int64), tuple(map(str, classes)))
