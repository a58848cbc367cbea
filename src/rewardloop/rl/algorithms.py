"""What an algorithm can do, and the refusal of one that cannot do what is asked: it names those that can."""

from __future__ import annotations

import re
from collections.abc import Iterable

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


def find_algorithm(known: Iterable[Algorithm], name: str, toolkit: str | None = None) -> Algorithm:
    """By its name, however it is spelt: `Maskable-PPO` is `maskableppo`. Raises `InvalidInput` with the nearest."""
    rows = [row for row in known if toolkit in (None, row.toolkit)]
    for row in rows:
        if row.name == plain(name):
            return row
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
