"""Running mean and deviation of observations, as a trained policy applies them: one formula, for arrays and for tensors."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import torch

_LEAST: Final = 1e-8


class Moments(NamedTuple):
    """
    >>> Moments(np.array([1.0]), np.array([2.0]), 10.0).applied(np.array([5.0], np.float32)).tolist()
    [2.0]
    """

    mean: np.ndarray[Any, Any]
    deviation: np.ndarray[Any, Any]
    clip: float

    def applied(self, observation: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """float32, as the networks take it."""
        scaled = (observation.astype(np.float64) - self.mean) / (self.deviation + _LEAST)
        clipped: np.ndarray[Any, Any] = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        return clipped

    def applied_to(self, observation: torch.Tensor) -> torch.Tensor:
        """The same, in a graph."""
        mean, deviation = torch.from_numpy(self.mean), torch.from_numpy(self.deviation + _LEAST)
        return torch.clamp((observation.double() - mean) / deviation, -self.clip, self.clip).float()
