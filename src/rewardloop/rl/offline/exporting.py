"""A learned policy as ONNX: an observation in the environment's units in, what the head reads out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rewardloop.policies.onnx_head import Head
from rewardloop.rl.offline.batches import Shape
from rewardloop.rl.offline.learners import Learner
from rewardloop.rl.toolkit import Exported
from rewardloop.scratch import Scratch

_OPSET = 17


class Served(nn.Module):
    """(1, d) float64 → (1, n) float64: log-odds or values; or locations and log deviations, in the action's units."""

    def __init__(self, learner: Learner, shape: Shape) -> None:
        super().__init__()
        self._learner = learner
        self._is_box = not shape.n_arms
        low, high = (torch.tensor(side, dtype=torch.float64) for side in (shape.low, shape.high))
        self._middle, self._half = (low + high) / 2, (high - low) / 2

    def forward(self, observation: Tensor) -> Tensor:
        numbers = self._learner.numbers(self._learner.standardised(observation)).double()
        if not self._is_box:
            return numbers
        location = self._middle + self._half * numbers
        deviation = self._learner.policy.deviation().double() + self._half.log()  # type: ignore[union-attr, operator]
        return torch.cat([location, deviation.expand_as(location)], dim=1)


def export(learner: Learner, shape: Shape, inputs: Sequence[str]) -> Exported:
    """Arms are the choices of one head, joint where the environment has several at once."""
    served = Served(learner, shape).eval()
    box = not shape.n_arms
    head = Head(
        kind="normal" if box else "greedy" if learner.greedy else "softmax",
        inputs=tuple(inputs),
        sizes=() if box else (shape.n_arms,),
        low=shape.low,
        high=shape.high,
    )
    example = torch.zeros((1, len(inputs)), dtype=torch.float64)
    with Scratch() as directory, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        path = directory / "policy.onnx"
        names = {"input_names": ["observation"], "output_names": ["numbers"]}
        torch.onnx.export(served, (example,), path, **names, opset_version=_OPSET, dynamo=False)  # type: ignore[arg-type]
        return Exported(path.read_bytes(), head)
