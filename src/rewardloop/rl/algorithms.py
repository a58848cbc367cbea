"""What an algorithm can do, and the refusal of one that cannot do what is asked: it names those that can."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.rl.spaces import ActionKind, Facts, ObservationKind

ACTIONS: tuple[ActionKind, ...] = ("discrete", "box", "multi_discrete", "multi_binary")


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the matrix that `rewardloop rl algorithms` prints."""

    name: str
    """As `--algo` takes it."""
    toolkit: str
    title: str
    actions: tuple[ActionKind, ...]
    observations: tuple[ObservationKind, ...]
    features: tuple[str, ...] = ()
    """`on-policy`, `off-policy`, `masks`, `memory`, `gradient-free`, `goals`, `offline`."""
    exports: bool = True
    """To ONNX, for `rewardloop rl deploy`."""
    exact_resume: bool = True
    """A run that was killed and resumed has the weights, to the bit, of one that was not."""
    source: str = ""

    def fits(self, facts: Facts) -> bool:
        """Whether it can act and see in such an environment."""
        return facts.action in self.actions and facts.observation in self.observations and (facts.masks or not self.needs_masks)

    @property
    def needs_masks(self) -> bool:
        return "masks" in self.features


class NotOffered(NamedTuple):
    """An algorithm that a toolkit has and that is not trained here."""

    toolkit: str
    names: tuple[str, ...]
    why: str


NOT_OFFERED: tuple[NotOffered, ...] = (
    NotOffered("rllib", ("bc", "marwil", "cql"), "toolkit `offline` has them, without Ray: --toolkit offline --episodes FILE"),
)
"""What `rewardloop rl algorithms` says below the matrix, and a refusal says of a name."""


class Rows(NamedTuple):
    """Makes the rows of one toolkit.

    >>> Rows("sb3", ("box",)).row("ppo", "PPO", ("box",), "on-policy", source="Schulman et al. 2017").features
    ('on-policy',)
    """

    toolkit: str
    observations: tuple[ObservationKind, ...]
    """What its algorithms see, where a row says nothing else."""
    exact_resume: bool = True

    def row(
        self,
        name: str,
        title: str,
        actions: tuple[ActionKind, ...],
        *features: str,
        observations: tuple[ObservationKind, ...] = (),
        exports: bool = True,
        exact_resume: bool | None = None,
        source: str,
    ) -> Algorithm:
        return Algorithm(
            name=name,
            toolkit=self.toolkit,
            title=title,
            actions=actions,
            observations=observations or self.observations,
            features=features,
            exports=exports,
            exact_resume=self.exact_resume if exact_resume is None else exact_resume,
            source=source,
        )


def find_algorithm(known: Iterable[Algorithm], name: str, toolkit: str | None = None) -> Algorithm:
    """By its name, however it is spelt: `Maskable-PPO` is `maskableppo`. Raises `InvalidInput` with the nearest."""
    rows = [row for row in known if toolkit in (None, row.toolkit)]
    for row in rows:
        if row.name == plain(name):
            return row
    missing = next((one for one in NOT_OFFERED if plain(name) in one.names and toolkit in (None, one.toolkit)), None)
    if missing is not None:
        raise InvalidInput(f"`{plain(name)}` of `{missing.toolkit}` is not offered: {missing.why}", at="--algo")
    names = sorted({row.name for row in rows})
    hint = did_you_mean(plain(name), names) or f"; expected one of {', '.join(names)}"
    where = f" in toolkit `{toolkit}`" if toolkit else ""
    raise InvalidInput(f"Unknown algorithm `{name}`{where}{hint}", at="--algo")


def check_fits(algorithm: Algorithm, facts: Facts, known: Iterable[Algorithm], env: str) -> None:
    """Raises `InvalidInput` where the algorithm cannot take the environment's spaces, naming those that can."""
    if algorithm.fits(facts):
        return
    able = ", ".join(dict.fromkeys(row.name for row in known if row.fits(facts))) or "none"
    raise InvalidInput(
        f"`{algorithm.name}` {_cannot(algorithm, facts)} of `{env}` ({facts.spaces}); these can: {able}", at="--algo"
    )


def plain(name: str) -> str:
    """
    >>> plain("Maskable-PPO"), plain("QR-DQN")
    ('maskableppo', 'qrdqn')
    """
    return re.sub(r"[-_ ]", "", name).lower()


def _cannot(algorithm: Algorithm, facts: Facts) -> str:
    if facts.action not in algorithm.actions:
        return f"takes {' or '.join(algorithm.actions)} actions, not the {facts.action} ones"
    if facts.observation not in algorithm.observations:
        return f"sees {' or '.join(algorithm.observations)} observations, not the {facts.observation} ones"
    return "needs a method `action_masks`, which is missing in the actions"
