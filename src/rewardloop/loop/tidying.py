"""What a loop that runs for ever must throw away: log segments the lake has, and models nobody hosts, once retention has passed."""

from __future__ import annotations

from rewardloop.durable import sweep
from rewardloop.log import Cursor, prune, seal_abandoned
from rewardloop.loop.erasure_files import learned_from_erased
from rewardloop.loop.trials.files import sweep_trials
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import ExperimentDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.registry.names import model_name
from rewardloop.settings import ExperimentSettings

LEFT = 3_600_000_000
"""Microseconds after which a half-written pointer is nobody's."""
KEPT = 200
"""Models on disk, the newest, however young the others: a cycle a minute makes 1,440 a day, of megabytes each."""


def tidy(
    settings: ExperimentSettings,
    directory: ExperimentDirectory,
    catalog: Catalog,
    consumed: Cursor,
    now: int,
    *,
    kept: int = KEPT,
) -> None:
    """Seals what killed writers left open, then prunes. The lake stays whole: any pruned model can be made again from it.

    Models that learned from what was erased go as soon as none of them serves, though a roll-back would return to them.
    """
    before = now - settings.log.retention
    seal_abandoned(directory.log)
    prune(directory.log, consumed, before)
    sweep(directory.hosted, now - LEFT)
    step = catalog.open_rollout(settings.experiment)
    sweep_trials(directory.trial, step.trial if step else None)
    store, in_use, tainted = (
        ModelStore(directory.models),
        _in_use(settings.experiment, catalog),
        learned_from_erased(directory.erasures),
    )
    store.prune(in_use, before)
    _keep_newest(store, in_use, kept, now)
    if tainted:
        store.prune(_serving(settings.experiment, catalog) | (set(store.ids()) - tainted), now)


def _keep_newest(store: ModelStore, in_use: set[str], kept: int, now: int) -> None:
    """Online snapshots are not counted: who publishes them keeps the newest of them."""
    ids = store.ids()
    made = [model_id for model_id in ids if not model_name(model_id).snapshot]
    store.prune(in_use | (set(ids) - set(made[:-kept])), now)


def _serving(experiment: str, catalog: Catalog) -> set[str]:
    """The hosted model, and the one on trial."""
    hosted, step = catalog.hosted(experiment), catalog.open_rollout(experiment)
    return {model_id for model_id in (hosted.model_id if hosted else None, step.challenger if step else None) if model_id}


def _in_use(experiment: str, catalog: Catalog) -> set[str]:
    """The newest model, the one on trial, the hosted one, and the one a roll-back would return to."""
    newest, hosted = catalog.newest_model(experiment), catalog.hosted(experiment)
    step = catalog.open_rollout(experiment)
    in_use = {
        step.challenger if step else None,
        newest.model_id if newest else None,
        hosted.model_id if hosted else None,
        catalog.previous_hosted(experiment),
    }
    return {model_id for model_id in in_use if model_id is not None}
