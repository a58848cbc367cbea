"""The toolkit: learns from logged episodes, a batch a step; resumes to the bit, because a batch is a function of seed and step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from gymnasium import spaces

from rewardloop.errors import Conflict, InvalidInput
from rewardloop.policies.onnx_head import input_names
from rewardloop.rl.algorithms import Algorithm, check_fits, find_algorithm
from rewardloop.rl.environments import make_env
from rewardloop.rl.logged.acting import flat, to_action
from rewardloop.rl.logged.episodes import Logged
from rewardloop.rl.offline.batches import Episodes, Shape, moments, read
from rewardloop.rl.offline.exporting import export
from rewardloop.rl.offline.learners import Learner, learner_of
from rewardloop.rl.offline.table import ROWS, Parameters, parameters_of
from rewardloop.rl.playing.episodes import play_all
from rewardloop.rl.runs.checkpoints import new_checkpoint, newest_checkpoint
from rewardloop.rl.spaces import facts_of, n_arms, possible_arms
from rewardloop.rl.toolkit import Actor, Exported, Masks, Plan, Progress, Watch
from rewardloop.rl.trees import read_tree, write_tree

POLICY: Final = "policy.npz"
TRAINER: Final = "trainer.npz"
_REPORT_EVERY: Final = 500


@dataclass(frozen=True, slots=True)
class _World:
    """What the plan's environment is, without one of it being open."""

    action_space: spaces.Space[Any]
    inputs: tuple[str, ...]
    n_arms: int
    low: tuple[float, ...]
    high: tuple[float, ...]


class Offline:
    """Keeps `rewardloop.rl.toolkit.Toolkit`. A step is a batch; the environment says the spaces, and evaluates if it can."""

    def algorithms(self) -> Sequence[Algorithm]:
        return ROWS

    def train(self, plan: Plan, directory: Path, watch: Watch) -> None:
        chosen, world = parameters_of(plan.algorithm, plan.parameters), _world(plan)
        logged, digest = read(plan.episodes)
        shape = _shape(world, logged)
        torch.manual_seed(plan.seed)
        learner = learner_of(plan.algorithm, shape, chosen)
        source = _Source(Episodes(logged, shape, chosen.gamma), digest, len(logged))
        _Training(plan, chosen, learner, source).run(0, directory, watch)

    def resume(self, plan: Plan, directory: Path, watch: Watch) -> None:
        checkpoint = newest_checkpoint(directory)
        chosen, world = parameters_of(plan.algorithm, plan.parameters), _world(plan)
        logged, digest = read(plan.episodes)
        learner, shape = _load(plan, chosen, world, checkpoint)
        source = _Source(Episodes(logged, shape, chosen.gamma), digest, len(logged))
        training = _Training(plan, chosen, learner, source)
        training.restore(checkpoint)
        training.run(int(checkpoint.name), directory, watch)

    def actor(self, plan: Plan, checkpoint: Path) -> Actor:
        world = _world(plan)
        learner, shape = _load(plan, parameters_of(plan.algorithm, plan.parameters), world, checkpoint)
        return _Greedy(learner, shape, world.action_space)

    def evaluate(self, plan: Plan, checkpoint: Path, seeds: Sequence[int]) -> list[float]:
        return [episode.episode_return for episode in play_all(plan.env, self.actor(plan, checkpoint), seeds, plan.step_timeout_s)]

    def export(self, plan: Plan, checkpoint: Path) -> Exported:
        world = _world(plan)
        return export(*_load(plan, parameters_of(plan.algorithm, plan.parameters), world, checkpoint), world.inputs)


class _Source(NamedTuple):
    """What is learned from, and what tells it apart from another file."""

    episodes: Episodes
    digest: str
    n_episodes: int


class _Training:
    """The loop, and its state."""

    def __init__(self, plan: Plan, chosen: Parameters, learner: Learner, source: _Source) -> None:
        torch.set_num_threads(1)  # Sums in another order would be other bits.
        self._plan = plan
        self._chosen = chosen
        self._learner = learner
        self._source = source
        learned = [parameter for parameter in learner.parameters() if parameter.requires_grad]
        self._optimiser = torch.optim.Adam(learned, lr=chosen.learning_rate)

    def run(self, begun: int, directory: Path, watch: Watch) -> None:
        metrics: dict[str, float] = {}
        for step in range(begun + 1, self._plan.n_steps + 1):
            metrics = self._step(step)
            saves = step % self._plan.checkpoint_every == 0 or step == self._plan.n_steps
            if saves:
                with new_checkpoint(directory, step) as stage:
                    self._save(stage)
            if (saves or step % _REPORT_EVERY == 0) and not watch(self._progress(step, metrics, saves)):
                return

    def restore(self, checkpoint: Path) -> None:
        """Raises `Conflict` where the episodes are not those it began with."""
        state = read_tree(checkpoint / TRAINER)
        if state["episodes"] != self._source.digest:
            raise Conflict(f"{self._plan.episodes} is not the file this run began to learn from; train a new run")
        kept = {i: _tensors(part) for i, part in state["moments"].items()}
        self._optimiser.load_state_dict({**self._optimiser.state_dict(), "state": kept})

    def _step(self, step: int) -> dict[str, float]:
        batch = self._source.episodes.batch(self._chosen.batch_size, self._plan.seed, step)
        scaled = batch._replace(seen=self._learner.standardised(batch.seen), after=self._learner.standardised(batch.after))
        losses = self._learner.losses(scaled)
        self._optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._learner.after_step()
        return {f"loss/{name}": float(loss.detach()) for name, loss in losses.items()}

    def _save(self, stage: Path) -> None:
        write_tree(stage / POLICY, {name: tensor.numpy().copy() for name, tensor in self._learner.state_dict().items()})
        found = self._optimiser.state_dict()["state"]
        kept = {i: {name: value.numpy().copy() for name, value in part.items()} for i, part in found.items()}
        write_tree(stage / TRAINER, {"episodes": self._source.digest, "moments": kept})

    def _progress(self, step: int, metrics: dict[str, float], saved: bool) -> Progress:
        return Progress(
            n_steps=step,
            n_episodes=self._source.n_episodes,
            mean_return=None,
            mean_length=None,
            metrics=metrics,
            checkpoint=f"{step:012d}" if saved else None,
        )


class _Greedy:
    """The likeliest arm of those that are possible, or the location."""

    def __init__(self, learner: Learner, shape: Shape, space: spaces.Space[Any]) -> None:
        self._learner = learner
        self._shape = shape
        self._space = space

    def begin(self, seed: int) -> None:
        """It has no memory."""

    def act(self, observation: Any, masks: Masks | None) -> Any:
        with torch.no_grad():
            seen = self._learner.standardised(torch.from_numpy(flat(observation))[None])
            numbers = self._learner.numbers(seen)[0].double().numpy()
        if self._shape.n_arms:
            possible = np.ones(len(numbers), bool) if masks is None else possible_arms(self._space, masks)
            return to_action(self._space, int(np.where(possible, numbers, -np.inf).argmax()))
        low, high = np.array(self._shape.low), np.array(self._shape.high)
        assert self._space.shape is not None
        return ((low + high) / 2 + (high - low) / 2 * numbers).astype(self._space.dtype).reshape(self._space.shape)


def _world(plan: Plan) -> _World:
    """Raises `InvalidInput` where the algorithm cannot take the environment, or the plan asks for what makes no sense here."""
    if plan.n_workers > 1 or plan.ray:
        raise InvalidInput("Toolkit `offline` learns from a file, in one process", at="--ray" if plan.ray else "--workers")
    env = make_env(plan.env, timeout_s=plan.step_timeout_s)
    try:
        check_fits(find_algorithm(ROWS, plan.algorithm), facts_of(env), ROWS, plan.env.id)
        seen, space = env.observation_space, env.action_space
    finally:
        env.close()
    parts = list(seen.spaces.items()) if isinstance(seen, spaces.Dict) else [("", seen)]
    names = input_names([(name, int(np.prod(part.shape or (1,)))) for name, part in parts])
    if isinstance(space, spaces.Box):
        low, high = (tuple(float(number) for number in side.ravel()) for side in (space.low, space.high))
        return _World(space, names, 0, low, high)
    return _World(space, names, n_arms(space), (), ())


def _shape(world: _World, logged: Logged) -> Shape:
    """Raises `InvalidInput` where the episodes are of another environment."""
    n_seen, header, n_wanted = logged.observation.shape[1], logged.header, len(world.inputs)
    if n_seen != n_wanted or (header.inputs and header.inputs != world.inputs):
        raise InvalidInput(f"Expected the {n_wanted} numbers that the environment shows, got {n_seen} others", at="--episodes")
    numbered, n_values = logged.action.ndim == 1, len(world.low)
    if numbered != bool(world.n_arms) or (header.n_actions > world.n_arms if numbered else logged.action.shape[1] != n_values):
        does = f"{world.n_arms} numbered actions" if world.n_arms else f"{n_values} continuous actions"
        found = f"{header.n_actions} numbered" if numbered else f"{logged.action.shape[1]} continuous"
        raise InvalidInput(f"Expected {does} as the environment has, got {found} ones", at="--episodes")
    mean, deviation = moments(logged)
    return Shape(tuple(mean.tolist()), tuple(deviation.tolist()), world.n_arms, world.low, world.high)


def _load(plan: Plan, chosen: Parameters, world: _World, checkpoint: Path) -> tuple[Learner, Shape]:
    """Raises `Corrupt`."""
    state = read_tree(checkpoint / POLICY)
    mean, deviation = (tuple(state[f"standardised.{name}"].tolist()) for name in ("mean", "deviation"))
    shape = Shape(mean, deviation, world.n_arms, world.low, world.high)
    learner = learner_of(plan.algorithm, shape, chosen)
    learner.load_state_dict(_tensors(state))
    return learner, shape


def _tensors(arrays: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
