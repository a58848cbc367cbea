"""From a run to a model of an experiment: exported, held against the policy it came from, registered, judged, hosted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from gymnasium import spaces

from rewardloop.actions import ActionSet, Ranges, fixed_actions, ranged_actions
from rewardloop.errors import Conflict, CorruptModel
from rewardloop.evaluation import GateReport
from rewardloop.features import parse_context
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.continuous import draw
from rewardloop.policies.onnx import OnnxPolicy
from rewardloop.policies.onnx_head import Head
from rewardloop.registry.records import Deployment, GoldenRequest
from rewardloop.rl.environments import Env, EnvSpec, make_env
from rewardloop.rl.guarding import make_guarded
from rewardloop.rl.playing.episodes import Step, play
from rewardloop.rl.playing.evaluating import FIRST_SEED, actor_of, exported_of
from rewardloop.rl.runs.run import RunDirectory
from rewardloop.rl.spaces import n_arms, possible_arms
from rewardloop.settings import ContinuousActions, ExperimentSettings

GOLDEN: Final = 8
NOISE: Final = 0.05
PARITY: Final = 1e-6
CHECKED: Final = 200
"""Observations of an episode on which the export must act as the policy does."""


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    model_id: str
    source: str
    n_checked: int
    """Observations on which the exported policy and the trained one chose the same."""
    report: GateReport | None
    """What the gate said; None where nothing was hosted before, or it was not asked."""
    deployment: Deployment | None
    """None: it is registered, and the gate kept what is hosted."""


def settings_for(directory: RunDirectory, name: str) -> ExperimentSettings:
    """An experiment whose arms are the actions of the run's environment, with defaults for everything else."""
    env = make_env(directory.read().plan.env)
    try:
        return ExperimentSettings(experiment=name, actions=_declared(env.action_space))
    finally:
        env.close()


def deploy(
    directory: RunDirectory, opened: Experiment, *, checkpoint: str = "best", force: bool = False, noise: float = NOISE
) -> Deployed:
    """Export a checkpoint into an experiment; host it if nothing is hosted, if the gate says so, or by `force`.

    `noise`: the deviation, as a share of the range, that a policy over a box without a spread of its own is served with.

    Raises `CorruptModel` where the export does not act as the policy does, `Conflict` where the experiment has other actions.
    """
    manifest = directory.read()
    path = directory.chosen(checkpoint)
    exported = exported_of(directory, checkpoint)
    head = msgspec.structs.replace(exported.head, noise=noise)
    policy = OnnxPolicy(exported.onnx, head)
    actions = _arms(opened.settings, head)
    env = make_guarded(manifest.plan.env, manifest.plan.step_timeout_s)
    try:
        seen = _seen(directory, checkpoint, env, manifest.plan.env)
        n_checked = _check(policy, actions, seen, env.action_space)
    finally:
        env.close()
    source = f"{manifest.run}@{int(path.name)}"
    golden = tuple(_golden(policy, actions, step.observation) for step in seen[:: max(1, len(seen) // GOLDEN)][:GOLDEN])
    record, report, deployment = opened.take_in(policy, source, golden, {"n_steps": float(path.name)}, force=force)
    return Deployed(model_id=record.model_id, source=record.dataset, n_checked=n_checked, report=report, deployment=deployment)


def context_of(observation: Any) -> bytes:
    """The context that a client sends for an observation.

    >>> context_of(np.array([0.5, 1.0]))
    b'{"observation":[0.5,1.0]}'
    >>> context_of({"goal": np.array([2.0]), "at": 3})
    b'{"observation":{"goal":[2.0],"at":[3]}}'
    """
    named = {name: _numbers(part) for name, part in observation.items()} if isinstance(observation, dict) else _numbers(observation)
    return msgspec.json.encode({"observation": named})


def _numbers(part: Any) -> list[float]:
    numbers: list[float] = np.asarray(part).ravel().tolist()
    return numbers


def _declared(space: spaces.Space[Any]) -> int | ContinuousActions:
    if not isinstance(space, spaces.Box):
        return n_arms(space)
    low, high = (tuple(float(number) for number in side.ravel()) for side in (space.low, space.high))
    return ContinuousActions(low=low, high=high)


def _arms(settings: ExperimentSettings, head: Head) -> ActionSet:
    if head.low:
        if settings.ranges != (head.low, head.high):
            has = "arms" if settings.ranges is None else f"actions from {settings.ranges[0]} to {settings.ranges[1]}"
            raise Conflict(
                f"The policy acts from {head.low} to {head.high}, experiment `{settings.experiment}` has {has}; choose another"
            )
        return ranged_actions(head.low, head.high)
    ids = None if settings.ranges is not None else settings.action_ids
    if ids is None or len(ids) != head.n_arms:
        has = "none that are fixed" if ids is None else str(len(ids))
        raise Conflict(
            f"The policy chooses among {head.n_arms} actions, experiment `{settings.experiment}` has {has}; choose another one"
        )
    return fixed_actions(ids)


def _seen(directory: RunDirectory, checkpoint: str, env: Env, spec: EnvSpec) -> list[Step]:
    """One episode of the trained policy."""
    steps: list[Step] = []
    play(env, actor_of(directory, checkpoint, spec), FIRST_SEED, steps.append)
    return steps[:CHECKED]


def _check(policy: OnnxPolicy, actions: ActionSet, seen: Sequence[Step], space: spaces.Space[Any]) -> int:
    """Ties may fall either way: the arm that was taken must be as likely as the likeliest, to 1e-6."""
    if actions.ranges is not None:
        return _check_values(policy, actions.ranges, seen)
    for step, arm in zip(seen, _taken(seen, space), strict=True):
        pmf = np.array(policy.pmf(parse_context(context_of(step.observation)), actions))
        if step.masks is not None and (possible := possible_arms(space, step.masks))[arm]:  # Else the policy knows of no masks.
            pmf = pmf * possible
        if pmf[arm] < pmf.max() - 1e-6:
            raise CorruptModel(f"The export does not act as the policy does: it prefers arm {int(np.argmax(pmf))} to {arm}")
    return len(seen)


def _check_values(policy: OnnxPolicy, ranges: Ranges, seen: Sequence[Step]) -> int:
    """The action without exploration, to 1e-6 of the range."""
    span = np.subtract(ranges.high, ranges.low)
    for step in seen:
        spread = policy.spread(parse_context(context_of(step.observation)), ranges)
        values = draw(spread, ranges, floor=0.0, explore=False, seed=0).values
        off = float(np.max(np.abs(np.asarray(step.action, np.float64).ravel() - values) / span))
        if off > PARITY:
            raise CorruptModel(f"The export does not act as the policy does: it is off by {off:.3g} of the range")
    return len(seen)


def _taken(seen: Sequence[Step], space: spaces.Space[Any]) -> Iterator[int]:
    """Each action as the number of an arm."""
    for step in seen:
        match space:
            case spaces.Discrete():
                yield int(step.action) - int(space.start)
            case spaces.MultiDiscrete():
                chosen = np.asarray(step.action) - space.start
                yield int(np.ravel_multi_index(tuple(chosen.ravel()), tuple(space.nvec.ravel())))
            case _:
                chosen = np.asarray(step.action).ravel().astype(int)
                yield int(np.ravel_multi_index(tuple(chosen), (2,) * len(chosen)))


def _golden(policy: OnnxPolicy, actions: ActionSet, observation: Any) -> GoldenRequest:
    context = context_of(observation)
    features, ranges, values = parse_context(context), actions.ranges, tuple[float, ...]()
    if ranges is not None:
        values = draw(policy.spread(features, ranges), ranges, floor=0.0, explore=False, seed=0).values
    return GoldenRequest(context.decode(), actions.raw.decode(), tuple(policy.pmf(features, actions)), values)
