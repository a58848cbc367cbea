"""The contract of a toolkit, and what travels across it: a plan goes in, progress comes out, an actor plays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.policies.onnx_head import Head
from rewardloop.rl.algorithms import Algorithm
from rewardloop.rl.environments import EnvSpec

GROUP: Final = "rewardloop.toolkits"
STEP_TIMEOUT_S: Final = 300.0
Masks = npt.NDArray[np.bool_]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides a training. Equal plans and seeds train equal policies, where the toolkit and the environment allow."""

    env: EnvSpec
    """Where it is judged; trained on with `training_parameters` besides."""
    toolkit: str
    algorithm: str
    n_steps: int
    """Environment steps in all, over all workers."""
    seed: int = 0
    n_workers: int = 1
    """Environments side by side; above 1 each in a process of its own."""
    checkpoint_every: int = 10_000
    """Steps between checkpoints. At each the environments start a new episode and every generator is seeded anew, from `seed`
    and the step: whoever resumes there walks the same way."""
    normalise: bool = False
    """Observations (and rewards, for learning only) by a running mean and deviation."""
    parameters: dict[str, Any] = {}
    """Hyperparameters by the toolkit's own names."""
    training_parameters: dict[str, Any] = {}
    """Of the environment, while it is trained on: rewards that are easier to learn from, but not those it is judged by. They
    leave its spaces as they are."""
    step_timeout_s: float = STEP_TIMEOUT_S
    """A worker that does not answer a step for so long is ended and named."""
    episodes: str = ""
    """A file of logged episodes, for toolkits that learn from those; a step is then a batch of them."""
    ray: str = ""
    """Address of a Ray cluster, for toolkits that know one; empty: this machine."""

    @property
    def training_env(self) -> EnvSpec:
        return EnvSpec(self.env.id, {**self.env.parameters, **self.training_parameters})


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a training stands."""

    n_steps: int
    n_episodes: int
    mean_return: float | None
    """Of the last 100 episodes; None before the first has ended."""
    mean_length: float | None
    metrics: dict[str, float] = {}
    """What the toolkit says of itself: losses and the like."""
    checkpoint: str | None = None
    """A checkpoint that was just finished."""


Watch = Callable[[Progress], bool]
"""Called as training goes on; False ends it after the current step."""


class Actor(Protocol):
    """A policy in memory, playing one episode at a time."""

    def begin(self, seed: int) -> None:
        """A new episode: forget the last one."""
        ...

    def act(self, observation: Any, masks: Masks | None) -> Any:
        """The action for an observation as the environment gives it, in the environment's own units."""
        ...


class Exported(NamedTuple):
    """A policy that needs no toolkit: a network, and what its numbers mean."""

    onnx: bytes
    head: Head


class Toolkit(Protocol):
    """Trains policies. Its laws are tests in `rewardloop.testing.toolkit.ToolkitContract`; subclass it for your own.

    Laws
    - `algorithms()` says truly what each algorithm can act on and see, whether it exports and whether it resumes exactly.
    - `train(plan, directory, watch)` begins at step 0 and writes checkpoints as folders `directory/STEP`, each whole or absent
      (a kill leaves no half), the last at the end; `watch` hears of each. It is done at `plan.n_steps` steps or a little over.
    - `resume(plan, directory, watch)` goes on from the newest checkpoint there; for an algorithm with `exact_resume` the final
      weights are those of a training that was never interrupted, to the bit, on an environment that its seed determines.
    - `actor(plan, checkpoint)` acts greedily (no exploration) and deterministically: the same observations, the same actions.
    - `evaluate(plan, checkpoint, seeds)` returns one return a seed, of the greedy policy, deterministic as well.
    - `export(plan, checkpoint)` gives a network whose greedy arm is the actor's action, observation normalisation inside, its
      numbers within 1e-6 of the policy's own; `InvalidInput` where `exports` is False or the actions are no arms.
    - A worker that dies or hangs is named in a `TrainingFailed`, with its last words; no process is left behind.
    - No pickle in any file it reads.
    """

    def algorithms(self) -> Sequence[Algorithm]: ...

    def train(self, plan: Plan, directory: Path, watch: Watch) -> None: ...

    def resume(self, plan: Plan, directory: Path, watch: Watch) -> None: ...

    def actor(self, plan: Plan, checkpoint: Path) -> Actor: ...

    def evaluate(self, plan: Plan, checkpoint: Path, seeds: Sequence[int]) -> list[float]: ...

    def export(self, plan: Plan, checkpoint: Path) -> Exported: ...


def load_toolkit(name: str) -> Toolkit:
    """The toolkit of an entry point; raises `InvalidInput` for one that is unknown or whose packages are not installed."""
    point = toolkits().get(name)
    if point is None:
        hint = did_you_mean(name, toolkits()) or f"; installed: {', '.join(sorted(toolkits()))}"
        raise InvalidInput(f"Unknown toolkit `{name}`{hint}", at="--toolkit")
    try:
        toolkit: Toolkit = point.load()()
    except ImportError as error:
        raise InvalidInput(f"Toolkit `{name}` needs packages that are missing ({error}); see docs/rl.md", at="--toolkit") from None
    return toolkit


@cache
def toolkits() -> dict[str, EntryPoint]:
    """Every toolkit that is declared, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}
