"""The steps that make models: train the next one, take in one from elsewhere, make an old one again. `judging` judges them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from rewardloop.clock import Clock
from rewardloop.deciding.hosted import first_model, first_model_id
from rewardloop.errors import Conflict, CorruptModel, UnknownModel
from rewardloop.lake import DataSet
from rewardloop.learning import Trained, train
from rewardloop.learning.training import Progress
from rewardloop.loop.drifting import drift_metrics, restarts
from rewardloop.loop.probing import probe
from rewardloop.policies import load_policy
from rewardloop.policies.contract import Policy
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.models import ModelStore
from rewardloop.registry.records import TAKEN_IN, GoldenRequest, ModelRecord, with_exploration
from rewardloop.scratch import Scratch
from rewardloop.settings import ExperimentSettings

AUTOMATIC = ("gate", "rollout", "apprentice")
"""Reasons of deployments that are the loop's own: after any other, learning continues from what was hosted."""


class Modelling:
    """Everything about the models of one experiment, over its catalog and its model store."""

    def __init__(
        self,
        settings: ExperimentSettings,
        catalog: Catalog,
        store: ModelStore,
        clock: Clock,
        tainted: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`tainted`: models that learned from what was erased since."""
        self.settings = settings
        self.catalog = catalog
        self.store = store
        self._clock = clock
        self._tainted = tainted

    def load(self, model_id: str) -> Policy:
        """The policy of a model, its files verified; `{experiment}.0` is the uniform policy that serves before any training."""
        if model_id == first_model_id(self.settings.experiment):
            return first_model(self.settings).policy
        _, path = self.store.open(model_id)
        return load_policy(path)

    def train_next(self, data: DataSet, on_progress: Progress = lambda _: None, parent_id: str | None = None) -> ModelRecord:
        """Train on what closed since the parent, keep the result, enter it in the catalog. Raises `Conflict` if nothing has."""
        if self.settings.mode == "logging_only":
            raise Conflict("Nothing is learned in `mode: logging_only`: set `apprentice` or `online`")
        if self.settings.ranges is not None:
            raise Conflict(_unlearned(len(self.settings.ranges[0])))
        parent = self.parent(parent_id)
        after = parent.watermark if parent else 0
        if not data.count(after=after):
            since = f"since `{parent.model_id}` was trained" if parent else "yet"
            raise Conflict(
                f"Expected events to learn from, found none closed {since}; an event closes with its reward or its window"
            )
        policy = self.load(parent.model_id) if parent else None
        forgotten = restarts(policy)
        trained = train(policy, data, self.settings, after=after, until=data.watermark, on_progress=on_progress)
        number = self.catalog.next_model_number(self.settings.experiment)
        record = ModelRecord(
            model_id=f"{self.settings.experiment}.{number}",
            experiment=self.settings.experiment,
            parent=parent.model_id if parent else None,
            created_at=self._clock.now(),
            watermark=data.watermark,
            dataset=data.fingerprint,
            n_trained=trained.n_trained,
            settings=with_exploration(self.settings),
            metrics=trained.metrics | drift_metrics(data, self.settings.training.ratio, forgotten, restarts(trained.policy)),
            golden=trained.golden,
            files={},
        )
        return self._keep(record, trained.policy)

    def parent(self, parent_id: str | None = None) -> ModelRecord | None:
        """What the next model continues: the newest model; after a deployment by hand or a roll-back, the hosted one.

        None (train from the beginning, on all history) when there is no model, when the settings of the policy changed, or where
        it learned from what was erased.
        """
        if parent_id is not None:
            return self.catalog.model(parent_id)
        newest, hosted = self.catalog.newest_model(self.settings.experiment), self.catalog.hosted(self.settings.experiment)
        if newest is not None and hosted is not None and hosted.reason not in AUTOMATIC and hosted.deployed_at >= newest.created_at:
            is_first = hosted.model_id == first_model_id(self.settings.experiment)
            newest = None if is_first else self.catalog.model(hosted.model_id)
        if newest is None or newest.is_taken_in or newest.model_id in self._tainted():
            return None
        return newest if _compatible(newest.settings, self.settings) else None

    def take_in(self, policy: Policy, source: str, golden: tuple[GoldenRequest, ...], metrics: dict[str, float]) -> ModelRecord:
        """Keep a policy that was trained elsewhere as the next model. It is not hosted before it is deployed."""
        number = self.catalog.next_model_number(self.settings.experiment)
        record = ModelRecord(
            model_id=f"{self.settings.experiment}.{number}",
            experiment=self.settings.experiment,
            parent=None,
            created_at=self._clock.now(),
            watermark=0,
            dataset=f"{TAKEN_IN}{source}",
            n_trained=0,
            settings=with_exploration(self.settings),
            metrics=metrics,
            golden=golden,
            files={},
        )
        return self._keep(record, policy)

    def rebuild(self, model_id: str, data: DataSet) -> ModelRecord:
        """Make a model again from its lineage and the log; raises `CorruptModel` if it answers otherwise than it did.

        Where its files are lost or damaged they are replaced.
        """
        record = self.catalog.model(model_id)
        if record.experiment != self.settings.experiment:
            raise UnknownModel(f"Model `{model_id}` belongs to experiment `{record.experiment}`")
        if record.is_taken_in:
            raise Conflict(f"Model `{model_id}` was not trained from the log but taken in ({record.dataset}): take it in again")
        trained = self._again(record, data)
        probe(trained.policy, record)
        if self._intact(record):
            return record
        stage = self.store.stage()
        trained.policy.save(stage)
        return self.store.commit(stage, record)

    def _again(self, record: ModelRecord, data: DataSet) -> Trained:
        parent = self.catalog.model(record.parent) if record.parent else None
        policy = self._parent_again(parent, data) if parent else None
        return train(policy, data, record.settings, after=parent.watermark if parent else 0, until=record.watermark)

    def _parent_again(self, parent: ModelRecord, data: DataSet) -> Policy:
        """Read from its files, as it was when the child was trained: some engines keep less in a file than in memory."""
        if self._intact(parent):
            return self.load(parent.model_id)
        with Scratch() as directory:
            self._again(parent, data).policy.save(directory)
            return load_policy(directory)

    def _intact(self, record: ModelRecord) -> bool:
        try:
            self.store.open(record.model_id)
        except (CorruptModel, UnknownModel):
            return False
        return True

    def _keep(self, record: ModelRecord, policy: Policy) -> ModelRecord:
        stage = self.store.stage()
        policy.save(stage)
        kept = self.store.commit(stage, record)
        self.catalog.add_model(kept)
        return kept


def _compatible(theirs: ExperimentSettings, ours: ExperimentSettings) -> bool:
    first, second = with_exploration(theirs), with_exploration(ours)
    return (first.policy, first.actions, first.reward.range) == (second.policy, second.actions, second.reward.range)


def _unlearned(n_values: int) -> str:
    """Why a box is learned by no bandit, and what to do."""
    if n_values == 1:
        return "A bandit learns a number in cells: add `cells: 16` to `actions`; or train in a simulator, `rewardloop rl train`"
    return (
        f"No bandit learns {n_values} numbers at once: train in a simulator, `rewardloop rl train`, "
        "or from logged episodes, `rl train --episodes`; then `rl deploy`"
    )
