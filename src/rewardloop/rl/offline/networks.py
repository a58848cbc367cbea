"""The networks that learners are made of, and the loss of a policy: how likely it is to do what was done."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rewardloop.rl.offline.batches import Batch, Shape

_LOG_STD = (-4.0, 1.0)


def network(n_in: int, widths: Sequence[int], n_out: int) -> nn.Sequential:
    """Rectified layers."""
    layers: list[nn.Module] = []
    for n_from, n_to in zip([n_in, *widths], widths, strict=False):
        layers += [nn.Linear(n_from, n_to), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1] if widths else n_in, n_out))


class Standardised(nn.Module):
    """Observations by the mean and deviation of the log."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(shape.mean, dtype=torch.float64))
        self.register_buffer("deviation", torch.tensor(shape.deviation, dtype=torch.float64))

    def forward(self, seen: Tensor) -> Tensor:
        scaled: Tensor = (seen.double() - self.mean) / self.deviation
        return scaled.clamp(-10, 10).float()


class Policy(nn.Module):
    """Log-odds of arms, or the locations of a normal with a deviation of its own, in a box from −1 to 1."""

    def __init__(self, shape: Shape, widths: Sequence[int]) -> None:
        super().__init__()
        self.is_discrete = bool(shape.n_arms)
        self.body = network(len(shape.mean), widths, shape.n_outputs)
        if not self.is_discrete:
            self.log_std = nn.Parameter(torch.full((shape.n_outputs,), -0.5))

    def forward(self, seen: Tensor) -> Tensor:
        numbers: Tensor = self.body(seen)
        return numbers if self.is_discrete else torch.tanh(numbers)

    def surprise(self, seen: Tensor, action: Tensor) -> Tensor:
        """(B,) −log π(a | s)."""
        if self.is_discrete:
            return nn.functional.cross_entropy(self(seen), action, reduction="none")
        log_std = self.log_std.clamp(*_LOG_STD)
        z = (action - self(seen)) / log_std.exp()
        surprise: Tensor = (0.5 * z**2 + log_std + 0.5 * math.log(2 * math.pi)).sum(dim=1)
        return surprise

    def deviation(self) -> Tensor:
        """(k,) logarithms."""
        return self.log_std.clamp(*_LOG_STD)


class Twins(nn.Module):
    """Two Q-networks, of which the lower is believed: of every arm, or of an action beside the state."""

    def __init__(self, shape: Shape, widths: Sequence[int]) -> None:
        super().__init__()
        self.is_discrete = bool(shape.n_arms)
        n_in = len(shape.mean) + (0 if self.is_discrete else shape.n_outputs)
        n_out = shape.n_arms or 1
        self.both = nn.ModuleList([network(n_in, widths, n_out), network(n_in, widths, n_out)])

    def forward(self, seen: Tensor, action: Tensor) -> list[Tensor]:
        """Two times (B,)."""
        if self.is_discrete:
            return [q(seen).gather(1, action[:, None])[:, 0] for q in self.both]
        return [q(torch.cat([seen, action], dim=1))[:, 0] for q in self.both]

    def all(self, seen: Tensor) -> list[Tensor]:
        """Two times (B, K)."""
        return [q(seen) for q in self.both]


def weighted(surprise: Tensor, advantage: Tensor, beta: float, largest: float) -> Tensor:
    """Mean of exp(beta × advantage) × surprise, the weights bounded."""
    weight = torch.exp(beta * advantage).clamp(max=largest).detach()
    return (weight * surprise).mean()


def bootstrapped(batch: Batch, following: Tensor, gamma: float) -> Tensor:
    """r + γ V(s'), nothing after the end."""
    return (batch.reward + gamma * batch.goes_on * following).detach()
