"""One cell of the testbed, a policy in a world with a seed, and the row it becomes. Nothing is run here."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple, Self, get_args

import msgspec

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.settings import PolicySettings, load_settings, write_hook
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.logged import Replay

DEFAULT = "default"
SKYLINE = "skyline"
WINDOWS = 20


class Knobs(msgspec.Struct, frozen=True, kw_only=True):
    """How a world is played."""

    rounds: int = 4_000
    delay: float | None = None
    """Mean of the exponentially distributed delay of a reward, in rounds; None: the world's own, mostly none."""
    batch: int = 1
    """Rounds decided between two steps of learning."""
    replay: Replay = "rejection"
    """How a logged file is replayed."""


class Contender(msgspec.Struct, frozen=True):
    """A policy with a name."""

    name: str
    policy: PolicySettings

    @property
    def digest(self) -> str:
        """Eight hex digits of its settings: rows of other settings under the same name are not mistaken for its own."""
        return f"{zlib.crc32(msgspec.json.encode(self.policy, enc_hook=write_hook)):08x}"


class Cell(msgspec.Struct, frozen=True):
    """One run."""

    contender: Contender
    world: str
    seed: int
    knobs: Knobs

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from every other cell."""
        return (self.contender.name, self.contender.digest, self.world, self.seed, self.knobs)


class Spent(NamedTuple):
    """CPU seconds over all rounds."""

    deciding: float
    learning: float
    n_rounds: int

    def a_round(self, seconds: float) -> float:
        """Microseconds."""
        return 1e6 * seconds / self.n_rounds if self.n_rounds else 0.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one cell found. Rewards are expected ones: luck with the outcome pays nobody."""

    policy: str
    digest: str
    world: str
    seed: int
    knobs: Knobs
    mean_reward: float
    """Progressive: of every round as it was decided, exploration included."""
    curve: tuple[float, ...]
    """Mean reward of each of 20 windows."""
    best: float | None
    """Mean reward of always knowing the best arm in these rounds; None where nobody knows it, as in a log."""
    best_fixed: float | None
    """Of the best single arm."""
    decide_us: float
    learn_us: float
    """Microseconds of CPU a round."""
    n_used: int
    """Rounds that counted: in a replay by rejection fewer than the file has."""

    @classmethod
    def of(
        cls,
        cell: Cell,
        mean_reward: float,
        curve: tuple[float, ...],
        spent: Spent,
        *,
        n_used: int,
        best: float | None = None,
        best_fixed: float | None = None,
    ) -> Self:
        """The cell, and what it found."""
        return cls(
            policy=cell.contender.name,
            digest=cell.contender.digest,
            world=cell.world,
            seed=cell.seed,
            knobs=cell.knobs,
            mean_reward=mean_reward,
            curve=curve,
            best=best,
            best_fixed=best_fixed,
            decide_us=spent.a_round(spent.deciding),
            learn_us=spent.a_round(spent.learning),
            n_used=n_used,
        )

    @property
    def key(self) -> tuple[object, ...]:
        return (self.policy, self.digest, self.world, self.seed, self.knobs)


def skyline_cell(world: str) -> Cell:
    """What a labelled data set would pay to a classifier that is told every label: a row like the others, found once."""
    return Cell(Contender(SKYLINE, PolicySettings()), world, 0, Knobs(rounds=0))


def contender(name: str) -> Contender:
    """`default`, an exploration policy by name, or the `policy:` section of a YAML file. Raises `InvalidInput`.

    >>> contender("linucb").policy.exploration
    'linucb'
    """
    if name == DEFAULT:
        return Contender(name, PolicySettings())
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return Contender(path.stem, load_settings(path).settings.policy)
    known = get_args(Exploration)
    if name not in known:
        raise InvalidInput(f"Unknown policy `{name}`{did_you_mean(name, (*known, DEFAULT))}", at="--policy")
    return Contender(name, msgspec.convert({"exploration": name}, PolicySettings))
