"""Which model is hosted: deploy after a probe, roll back in one step, and a pointer that always agrees with the catalog."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from rewardloop.clock import Clock
from rewardloop.deciding.hosted import first_model_id
from rewardloop.errors import Conflict
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.probing import probe
from rewardloop.policies.contract import Policy
from rewardloop.registry.leases import waiting
from rewardloop.registry.pointer import Challenger, Hosted, read_hosted, write_hosted
from rewardloop.registry.records import Deployment, ModelRecord, RolloutStep


class Deploying:
    """Deployments of one experiment. The catalog's history is the truth; the pointer file is what serving workers watch."""

    def __init__(self, modelling: Modelling, pointer: Path, clock: Clock) -> None:
        self._modelling = modelling
        self._catalog = modelling.catalog
        self._experiment = modelling.settings.experiment
        self._pointer = pointer
        self._clock = clock

    def deploy(self, model_id: str, reason: str, *, by_trial: bool = False) -> Deployment:
        """Host a model, after its golden requests gave the pmfs they were trained to give. Raises `CorruptModel` if not.

        `{experiment}.0` is the uniform policy that was served before any model. `by_trial`: whoever ends a trial so enters its end.
        """
        self.check(model_id)
        return self._host(model_id, reason, by_trial)

    def check(self, model_id: str) -> None:
        """Raises `UnknownModel`, or `CorruptModel` where its golden requests give other pmfs than they were trained to give."""
        if model_id != first_model_id(self._experiment):
            self._catalog.model(model_id)
            record, _ = self._modelling.store.open(model_id)
            probe(self._modelling.load(model_id), record)

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
        with self._pointing():
            wanted = self._wanted()
            if wanted is not None and read_hosted(self._pointer) != wanted:
                write_hosted(self._pointer, wanted)

    def record(self, step: RolloutStep) -> None:
        """A step of a trial: into the catalog, and then, as far as it says so, into service."""
        with self._pointing():
            self._catalog.record_rollout(step)
            self._point()

    def _host(self, model_id: str, reason: str, by_trial: bool) -> Deployment:
        deployment = Deployment(experiment=self._experiment, model_id=model_id, deployed_at=self._clock.now(), reason=reason)
        with self._pointing():
            if not by_trial:
                self._end_trial(model_id)
            self._catalog.record_deployment(deployment)
            self._point()
        return deployment

    def _end_trial(self, model_id: str) -> None:
        """Of the champion that leaves. Before it does: a roll-back to it must not begin the trial again."""
        step = self._catalog.open_rollout(self._experiment)
        if step is not None:
            ended = msgspec.structs.replace(
                step, at=self._clock.now(), kind="abort", reason=f"`{model_id}` was deployed", numbers={}, shares=()
            )
            self._catalog.record_rollout(ended)

    def _pointing(self) -> AbstractContextManager[None]:
        """One process at a time reads the catalog and writes the pointer, or an older state could be written last."""
        self._pointer.parent.mkdir(parents=True, exist_ok=True)
        return waiting(self._pointer.with_suffix(".lock"))

    def _point(self) -> None:
        write_hosted(self._pointer, self._wanted() or Hosted(model_id=first_model_id(self._experiment)))

    def _wanted(self) -> Hosted | None:
        """What the pointer must say, by the catalog; None where nothing was ever deployed."""
        hosted, step = self._catalog.hosted(self._experiment), self._catalog.open_rollout(self._experiment)
        challenger = None
        if step is not None:
            challenger = Challenger(
                model_id=step.challenger, trial=step.trial, share=step.share, scored=step.scored, sticky=step.sticky
            )
        if hosted is None and challenger is None:
            return None
        return Hosted(model_id=hosted.model_id if hosted else first_model_id(self._experiment), challenger=challenger)
