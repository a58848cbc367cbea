"""A trained policy as ONNX: an observation in the environment's units in, what the head reads out. Normalisation is inside."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from rewardloop.errors import InvalidInput
from rewardloop.policies.onnx_head import Head, Kind, input_names
from rewardloop.rl.toolkit import Exported
from rewardloop.scratch import Scratch

_VALUES = {"DQN": "q_net", "QRDQN": "quantile_net"}
_OPSET = 17


class Served(torch.nn.Module):
    """(1, n) float64 → (1, Σ sizes) float64: cuts the observation into its parts, normalises them, asks the policy."""

    def __init__(self, model: BaseAlgorithm) -> None:
        super().__init__()
        env = model.get_env()
        assert env is not None
        self._model = model
        self._policy = model.policy
        self._parts = parts_of(env.unwrapped.observation_space)
        self._moments = _moments(model.get_vec_normalize_env())

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        named = {name: self._part(observation, i) for i, (name, _) in enumerate(self._parts)}
        return self._numbers(named.get("", named)).double()

    def _part(self, observation: torch.Tensor, i: int) -> torch.Tensor:
        name, space = self._parts[i]
        start = sum(_size(part) for _, part in self._parts[:i])
        flat = observation[:, start : start + _size(space)]
        if name in self._moments:
            mean, deviation, clip = self._moments[name]
            flat = torch.clamp((flat - mean) / deviation, -clip, clip)
        if isinstance(space, spaces.Discrete):
            return flat[:, 0].long()
        shaped = flat.reshape(1, *(space.shape or ())).float()
        picture = len(space.shape or ()) == 3
        turned = picture and tuple(self._policy.observation_space.shape or ()) != tuple(space.shape or ())
        return shaped.permute(0, 3, 1, 2) if turned else shaped

    def _numbers(self, seen: Any) -> torch.Tensor:
        policy: Any = self._policy
        kind = type(self._model).__name__
        if kind == "DQN":
            return policy.q_net(seen)  # type: ignore[no-any-return]
        if kind == "QRDQN":
            return policy.quantile_net(seen).mean(dim=1)  # type: ignore[no-any-return]
        if isinstance(self._model.action_space, spaces.Box):
            return self._spread(seen, policy)
        if kind == "ARS":
            return policy.action_net(policy.extract_features(seen, policy.features_extractor))  # type: ignore[no-any-return]
        features = policy.pi_features_extractor(_prepared(seen, policy))
        logits: torch.Tensor = policy.action_net(policy.mlp_extractor.forward_actor(features))
        if isinstance(self._model.action_space, spaces.MultiBinary):  # Log-odds of 1: two options, the first at 0.
            return torch.stack([torch.zeros_like(logits), logits], dim=-1).flatten(1)
        return logits

    def _spread(self, seen: Any, policy: Any) -> torch.Tensor:
        """Locations and log deviations, or the action itself where the policy has no spread."""
        kind = _continuous_kind(self._model)
        if kind == "normal":
            location = policy.action_net(policy.mlp_extractor.forward_actor(policy.pi_features_extractor(_prepared(seen, policy))))
            return torch.cat([location, policy.log_std.expand_as(location)], dim=1)
        if kind == "squashed":
            location, log_std, _ = policy.actor.get_action_dist_params(seen)
            return torch.cat([location, log_std], dim=1)
        action = policy.actor(seen) if hasattr(policy, "actor") else policy(seen)
        if not policy.squash_output:
            return action  # type: ignore[no-any-return]
        space = self._model.action_space
        assert isinstance(space, spaces.Box)
        low, high = (torch.from_numpy(side.astype(np.float64)) for side in (space.low.ravel(), space.high.ravel()))
        scaled: torch.Tensor = low + 0.5 * (action.double() + 1.0) * (high - low)
        return scaled


def export(model: BaseAlgorithm) -> Exported:
    """Raises `InvalidInput` for actions that cannot be served."""
    box = model.action_space if isinstance(model.action_space, spaces.Box) else None
    if box is not None and getattr(model, "use_sde", False):
        raise InvalidInput("State-dependent exploration (use_sde) is not exported", at="--checkpoint")
    kind, sizes = (_continuous_kind(model), ()) if box is not None else _choices(model)
    model.policy.set_training_mode(False)
    served = Served(model).eval()
    parts = [(name, _size(space)) for name, space in served._parts]
    low, high = _box(box)
    head = Head(kind=kind, inputs=input_names(parts), sizes=sizes, low=low, high=high)
    example = torch.zeros((1, len(head.inputs)), dtype=torch.float64)
    with Scratch() as directory, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        path = directory / "policy.onnx"
        names = {"input_names": ["observation"], "output_names": ["numbers"]}
        torch.onnx.export(served, (example,), path, **names, opset_version=_OPSET, dynamo=False)  # type: ignore[arg-type]
        network = path.read_bytes()
    return Exported(network, head)


def parts_of(space: spaces.Space[Any]) -> list[tuple[str, spaces.Space[Any]]]:
    """The parts of an observation in the order a network is fed; one without a name where it is no dictionary."""
    return list(space.spaces.items()) if isinstance(space, spaces.Dict) else [("", space)]


def _choices(model: BaseAlgorithm) -> tuple[Kind, tuple[int, ...]]:
    kind: Kind = "greedy" if type(model).__name__ in (*_VALUES, "ARS") else "softmax"
    match model.action_space:
        case spaces.Discrete():
            return kind, (int(model.action_space.n),)
        case spaces.MultiDiscrete():
            return kind, tuple(int(n) for n in model.action_space.nvec.ravel())
        case spaces.MultiBinary():
            return kind, (2,) * int(np.prod(model.action_space.shape))
    raise InvalidInput(f"Expected actions that are arms to serve, got {model.action_space}", at="--checkpoint")


def _continuous_kind(model: BaseAlgorithm) -> Kind:
    if hasattr(model.policy, "log_std"):
        return "normal"
    return "squashed" if hasattr(getattr(model.policy, "actor", None), "get_action_dist_params") else "point"


def _box(space: spaces.Box | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if space is None:
        return (), ()
    low, high = (tuple(float(number) for number in side.ravel()) for side in (space.low, space.high))
    return low, high


def _moments(env: VecEnv | None) -> dict[str, tuple[torch.Tensor, torch.Tensor, float]]:
    """Mean, deviation and clip of each part that is normalised."""
    if not isinstance(env, VecNormalize):
        return {}
    running = env.obs_rms if isinstance(env.obs_rms, dict) else {"": env.obs_rms}
    found = {}
    for name, moments in running.items():
        mean, deviation = np.asarray(moments.mean).ravel(), np.sqrt(np.asarray(moments.var).ravel() + env.epsilon)
        found[name] = (torch.from_numpy(mean), torch.from_numpy(deviation), float(env.clip_obs))
    return found


def _size(space: spaces.Space[Any]) -> int:
    return 1 if isinstance(space, spaces.Discrete) else int(np.prod(space.shape or (1,)))


def _prepared(seen: Any, policy: Any) -> Any:
    return preprocess_obs(seen, policy.observation_space, normalize_images=policy.normalize_images)
