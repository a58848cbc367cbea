"""Where CloudWatch stood: rewards that a simulation publishes are written to a file, one JSON line each."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from rewardloop.clock import Clock
from rewardloop.durable import storage
from rewardloop.errors import InvalidInput

FILE = "simulation.jsonl"

_logger = logging.getLogger(__name__)


class Published(msgspec.Struct, frozen=True):
    published_at: int
    """Microseconds UTC."""
    experiment_id: str
    reward: float


class SimulationLog:
    """`cw_logger` of an `ExperimentManager`."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.path = directory / FILE
        self._clock = clock

    def publish_rewards_for_simulation(self, experiment_id: str, value: float) -> None:
        """A simulation's own figure, such as the mean reward of a batch: kept for charts, never learned from."""
        try:
            line = Published(self._clock.now(), str(experiment_id), float(value))
        except (TypeError, ValueError):
            raise InvalidInput(f"Expected a number to publish, got {type(value).__name__}") from None
        with storage(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")
        _logger.info("experiment=%s simulated reward=%g", experiment_id, line.reward)

    def published(self) -> list[Published]:
        """All of them, oldest first; a line that a kill cut short is left out."""
        lines = self.path.read_bytes().split(b"\n")[:-1] if self.path.exists() else []
        return [msgspec.json.decode(line, type=Published) for line in lines]
