"""The service as a key sees it that is for some experiments only: the others cannot be reached through it, in any dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rewardloop.deciding.rewarding import Rewarder
from rewardloop.errors import Forbidden
from rewardloop.events import Activation, Reward
from rewardloop.serving.access import named
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.serving.service import Service
from rewardloop.settings import ExperimentSettings


class ScopedService(Service):
    """A view: whatever is asked of it the whole service does, or `Forbidden` is raised. It is not started and not closed."""

    def __init__(self, whole: Service, scope: frozenset[str]) -> None:
        self.counts = whole.counts
        self.catalog = whole.catalog
        self.directory = whole.directory
        self._whole = whole
        self._scope = scope

    @property
    def experiments(self) -> Mapping[str, ServedExperiment]:
        served = self._whole.experiments
        return {name: served[name] for name in self._scope if name in served}

    @property
    def n_served(self) -> int:
        return self._whole.n_served

    @property
    def rewarder(self) -> Rewarder:
        return self._whole.rewarder

    def now(self) -> int:
        return self._whole.now()

    async def change(self, settings: ExperimentSettings) -> None:
        self._check(settings.experiment)
        await self._whole.change(settings)

    def known(self, name: str) -> ServedExperiment | None:
        return self._whole.known(name) if name in self._scope else None

    async def experiment(self, name: str) -> ServedExperiment:
        self._check(name)
        return await self._whole.experiment(name)

    async def record(self, make: Callable[[Rewarder], Sequence[Reward]]) -> None:
        def checked(rewarder: Rewarder) -> Sequence[Reward]:
            records = make(rewarder)
            for record in records:
                self._check(record.experiment)
            return records

        await self._whole.record(checked)

    async def activation(self, event_id: str, experiment: str | None) -> Activation:
        activation = await self._whole.activation(event_id, experiment)
        self._check(activation.experiment)
        return activation

    async def log_activation(self, activation: Activation) -> None:
        await self._whole.log_activation(activation)

    async def refresh_catalog(self) -> None:
        await self._whole.refresh_catalog()

    def ready(self) -> bool:
        return self._whole.ready()

    def _check(self, name: str) -> None:
        if name not in self._scope:
            raise Forbidden(f"This key is for {named(self._scope)}, not for `{name[:64]}`")
