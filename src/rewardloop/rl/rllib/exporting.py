"""A trained network as ONNX: an observation in the environment's units in, what the head reads out. Normalisation is inside."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from rewardloop.policies.onnx_head import Head, Kind, input_names
from rewardloop.rl.rllib.acting import Network
from rewardloop.rl.rllib.adapting import is_picture, parts_of
from rewardloop.rl.toolkit import Exported
from rewardloop.scratch import Scratch

_OPSET = 17


class Served(torch.nn.Module):
    """(1, n) float64 → (1, k) float64: makes the flat row the network was trained on, asks it, puts actions into their units."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._module = network.module
        self._parts = parts_of(network.seen)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        moments = self._network.moments
        row = self._row(observation)
        numbers = self._network.numbers(moments.applied_to(row) if moments is not None else row).double()
        space = self._network.done
        return self._scaled(numbers, space) if isinstance(space, spaces.Box) else numbers

    def _row(self, observation: torch.Tensor) -> torch.Tensor:
        if is_picture(self._network.seen):
            return observation.reshape(1, *(self._network.seen.shape or ())).float() / 255.0
        sizes = [_size(part) for _, part in self._parts]
        cut = torch.split(observation, sizes, dim=1)
        return torch.cat([_one_hot(piece, part) for piece, (_, part) in zip(cut, self._parts, strict=True)], dim=1).float()

    def _scaled(self, numbers: torch.Tensor, space: spaces.Box) -> torch.Tensor:
        """Of a squashed policy nothing: its head stretches from -1 and 1 to the box."""
        if self._network.squashes:
            return numbers
        low, high = (torch.from_numpy(side.ravel().astype(np.float64)) for side in (space.low, space.high))
        half = (high - low) / 2.0
        location, log_deviation = torch.chunk(numbers, 2, dim=1)
        return torch.cat([low + (location + 1.0) * half, log_deviation + torch.log(half)], dim=1)


def export(network: Network) -> Exported:
    """The network and its head."""
    served = Served(network).eval()
    parts = [(name, _size(part)) for name, part in parts_of(network.seen)]
    head = _head(network, input_names(parts))
    example = torch.zeros((1, len(head.inputs)), dtype=torch.float64)
    with Scratch() as directory, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        path = directory / "policy.onnx"
        names: dict[str, Any] = {"input_names": ["observation"], "output_names": ["numbers"]}
        torch.onnx.export(served, (example,), path, **names, opset_version=_OPSET, dynamo=False)
        return Exported(path.read_bytes(), head)


def _head(network: Network, inputs: tuple[str, ...]) -> Head:
    kind: Kind = "greedy" if network.values else "softmax"
    match network.done:
        case spaces.Discrete() as space:
            return Head(kind=kind, inputs=inputs, sizes=(int(space.n),))
        case spaces.MultiDiscrete() as space:
            return Head(kind=kind, inputs=inputs, sizes=tuple(int(n) for n in space.nvec.ravel()))
        case spaces.Box() as space:
            low, high = (tuple(float(number) for number in side.ravel()) for side in (space.low, space.high))
            return Head(kind="squashed" if network.squashes else "normal", inputs=inputs, low=low, high=high)
    return Head(kind=kind, inputs=inputs, sizes=(2,) * int(np.prod(network.done.shape or ())))


def _size(part: spaces.Space[Any]) -> int:
    return 1 if isinstance(part, spaces.Discrete) else int(np.prod(part.shape or (1,)))


def _one_hot(piece: torch.Tensor, part: spaces.Space[Any]) -> torch.Tensor:
    """Numbered states as one-hot vectors, everything else as it is."""
    if isinstance(part, spaces.Discrete):
        return torch.nn.functional.one_hot(piece[:, 0].long() - int(part.start), int(part.n)).double()
    if isinstance(part, spaces.MultiDiscrete):
        sizes, starts = part.nvec.ravel().tolist(), np.asarray(part.start).ravel().tolist()
        columns = [piece[:, i].long() - int(start) for i, start in enumerate(starts)]
        return torch.cat([torch.nn.functional.one_hot(one, n).double() for one, n in zip(columns, sizes, strict=True)], dim=1)
    return piece
