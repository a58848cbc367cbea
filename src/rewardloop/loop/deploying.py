"""Which model is hosted: deploy after a probe, roll back in one step, and a pointer that always agrees with the catalog."""

from __future__ import annotations

from pathlib import Path

from rewardloop.clock import Clock
from rewardloop.errors import Conflict
from rewardloop.loop.deciding import first_model_id
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.probing import probe
from rewardloop.policies.contract import Policy
from rewardloop.registry.hosting import Hosted, read_hosted, write_hosted
from rewardloop.registry.records import Deployment, ModelRecord


class Deploying:
    """Deployments of one experiment. The catalog's history is the truth; the pointer file is what serving workers watch."""

    def __init__(self, modelling: Modelling, pointer: Path, clock: Clock) -> None:
        self._modelling = modelling
        self._catalog = modelling.catalog
        self._experiment = modelling.settings.experiment
        self._pointer = pointer
        self._clock = clock

    def deploy(self, model_id: str, reason: str) -> Deployment:
        """Host a model, after its golden requests gave the pmfs they were trained to give. Raises `CorruptModel` if not.

        `{experiment}.0` is the uniform policy that was served before any model.
        """
        if model_id != first_model_id(self._experiment):
            self._catalog.model(model_id)
            record, _ = self._modelling.store.open(model_id)
            probe(self._modelling.load(model_id), record)
        return self._host(model_id, reason)

    def roll_back(self) -> Deployment:
        """Host again what was hosted before, in the end the uniform policy; once more goes one further back. Then `Conflict`."""
        hosted, first = self._catalog.hosted(self._experiment), first_model_id(self._experiment)
        if hosted is None or hosted.model_id == first:
            raise Conflict(f"Expected an earlier deployment of `{self._experiment}` to roll back to, found none")
        return self.deploy(self._catalog.previous_hosted(self._experiment) or first, "roll back")

    def publish(self, record: ModelRecord, policy: Policy) -> None:
        """Serve an online snapshot: kept and pointed to, but no part of the history, which is of models that can be rebuilt.

        Not synced to the disk: after a power cut the champion is hosted, and the learner starts from it and the log.
        """
        stage = self._modelling.store.stage()
        policy.save(stage)
        self._modelling.store.commit(stage, record, durable=False)
        write_hosted(self._pointer, Hosted(model_id=record.model_id), durable=False)

    def reconcile(self) -> None:
        """After a kill between the two writes of a deployment, the pointer follows the catalog."""
        hosted = self._catalog.hosted(self._experiment)
        if hosted is not None and read_hosted(self._pointer) != Hosted(model_id=hosted.model_id):
            write_hosted(self._pointer, Hosted(model_id=hosted.model_id))

    def _host(self, model_id: str, reason: str) -> Deployment:
        deployment = Deployment(experiment=self._experiment, model_id=model_id, deployed_at=self._clock.now(), reason=reason)
        self._catalog.record_deployment(deployment)
        write_hosted(self._pointer, Hosted(model_id=model_id))
        return deployment
