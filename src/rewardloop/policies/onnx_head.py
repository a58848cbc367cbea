"""What stands around the network of an exported policy: which features go in, and what its numbers mean. No network here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Literal

import msgspec
import numpy as np

from rewardloop.errors import CorruptModel, InvalidInput
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.continuous import Spread

Kind = Literal["softmax", "greedy", "normal", "squashed", "point"]


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`head.json` beside `policy.onnx`.

    The network takes (1, n) float64 observations as the environment gives them and returns (1, Σ sizes) float64 numbers: log-odds
    (`softmax`) or values (`greedy`) of each choice. Several choices at once are one arm each way of choosing, in the order of
    nested loops, the last choice fastest.

    Continuous actions have no sizes, and the network returns locations and logarithms of deviations: (1, 2d), `normal` in the
    action's units, `squashed` before the tanh. A `point` returns (1, d) in the action's units, and is served with normal
    noise of `noise` times the range.
    """

    kind: Kind
    inputs: tuple[str, ...]
    """The feature that each input is, as a context is flattened: `observation[0]`, `observation.temperature[3]`."""
    sizes: tuple[int, ...] = ()
    """Options of each choice; one number for a plain choice."""
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    """The box of continuous actions."""
    noise: float = 0.05

    @property
    def n_arms(self) -> int:
        """How many fixed arms it decides among.

        >>> Head(kind="softmax", inputs=("observation[0]",), sizes=(3, 2)).n_arms
        6
        """
        return prod(self.sizes)

    def vector(self, context: Features) -> Floats:
        """(1, n) the observation in a context; raises `InvalidInput` for a feature that is missing or is no number."""
        try:
            return np.array([[context[name] for name in self.inputs]], dtype=np.float64)
        except (KeyError, ValueError):
            name = next(name for name in self.inputs if not isinstance(context.get(name), int | float))
            found = "nothing" if name not in context else "a text"
            raise InvalidInput(
                f"Expected a number, of the {len(self.inputs)} the policy was trained on, got {found}", at=f"$.context.{name}"
            ) from None

    def pmf(self, numbers: Floats) -> list[float]:
        """Over the arms; raises `CorruptModel` for numbers that are not finite or too few.

        >>> Head(kind="greedy", inputs=(), sizes=(3,)).pmf(np.array([0.5, 2.0, 1.0]))
        [0.0, 1.0, 0.0]
        """
        if self.low:
            return [1.0]
        if numbers.shape != (sum(self.sizes),) or not np.isfinite(numbers).all():
            raise CorruptModel(f"Expected {sum(self.sizes)} finite numbers from the network, got {numbers.tolist()!r:.200}")
        parts = np.split(numbers, np.cumsum(self.sizes)[:-1])
        each = [_greedy(part) if self.kind == "greedy" else _softmax(part) for part in parts]
        joint: Floats = reduce(lambda left, right: np.outer(left, right).ravel(), each)
        pmf: list[float] = joint.tolist()
        return pmf

    def spread(self, numbers: Floats) -> Spread:
        """Over the box; raises `CorruptModel` for numbers that are not finite or not as many as they should be."""
        d = len(self.low)
        if numbers.shape != (d if self.kind == "point" else 2 * d,) or not np.isfinite(numbers).all():
            raise CorruptModel(f"Expected finite numbers for {d} continuous actions, got {numbers.tolist()!r:.200}")
        location = tuple(numbers[:d].tolist())
        if self.kind == "point":
            return Spread("normal", location, tuple(self.noise * (b - a) for a, b in zip(self.low, self.high, strict=True)))
        return Spread("squashed" if self.kind == "squashed" else "normal", location, tuple(np.exp(numbers[d:]).tolist()))


def read_head(raw: bytes) -> Head:
    """Raises `CorruptModel`."""
    try:
        head = msgspec.json.decode(raw, type=Head)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise CorruptModel(f"Expected the head of an exported policy: {error}") from None
    if head.low:
        if len(head.low) != len(head.high) or not head.noise > 0 or head.kind not in ("normal", "squashed", "point"):
            raise CorruptModel(f"Expected a policy over a box, got {head.kind} over {head.low} to {head.high}")
        return head
    if not head.sizes or min(head.sizes) < 1:
        raise CorruptModel(f"Expected a policy with choices, got sizes {head.sizes}")
    return head


def _softmax(logits: Floats) -> Floats:
    weights: Floats = np.exp(logits - logits.max())
    shares: Floats = weights / weights.sum()
    return shares


def _greedy(values: Floats) -> Floats:
    one_hot = np.zeros(len(values))
    one_hot[int(np.argmax(values))] = 1.0
    return one_hot


def input_names(shapes: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Names of the features of an observation: parts and their sizes; a part without a name is the whole observation.

    >>> input_names([("", 2)]), input_names([("goal", 1)])
    (('observation[0]', 'observation[1]'), ('observation.goal[0]',))
    """
    named = [(f"observation.{name}" if name else "observation", size) for name, size in shapes]
    return tuple(f"{name}[{i}]" for name, size in named for i in range(size))
