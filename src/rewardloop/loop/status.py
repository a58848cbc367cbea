"""The state of an experiment at a glance, read only: nothing is joined, nothing is locked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rewardloop.deciding.hosted import first_model_id
from rewardloop.lake import Ledger, read_joined, read_ledger
from rewardloop.loop.apprentice import IMITATING, READY, MatchReport
from rewardloop.loop.drifting import drift_told
from rewardloop.loop.early_closing import early_closing
from rewardloop.loop.trials.files import trial_counts
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.records import Deployment, RolloutStep
from rewardloop.settings import ExperimentSettings


class ModelLine(msgspec.Struct, frozen=True):
    """One model, and what the gate said of it."""

    model_id: str
    parent: str | None
    created_at: int
    n_trained: int
    mean_reward: float | None
    verdict: str | None


class TrialView(msgspec.Struct, frozen=True):
    """A challenger on trial, and what serving has counted of it."""

    step: RolloutStep
    n_champion: int
    n_challenger: int
    """Decisions that each of them scored."""
    errors: int
    refused: int
    slower_us: float
    """Mean time to score a decision, challenger − champion, in microseconds."""
    agreement: float | None
    """shadow: share of decisions with the same likeliest action."""
    distance: float | None
    """shadow: mean total variation between what was served and what the challenger would have."""


class Status(msgspec.Struct, frozen=True):
    """One experiment."""

    experiment: str
    exploration: str
    hosted: str
    hosted_at: int | None
    models: tuple[ModelLine, ...]
    deployments: tuple[Deployment, ...]
    ledger: Ledger
    """As of the last join."""
    warning: str
    """What bends the numbers; empty where nothing does."""
    mode: str = "online"
    """`online`, `apprentice` or `logging_only`."""
    trial: TrialView | None = None
    """The challenger on trial."""
    rollouts: tuple[RolloutStep, ...] = ()
    """What became of challengers, oldest first."""
    drift: str = ""
    """What the newest model says of a change of the world; empty where nothing does."""
    apprentice: MatchReport | None = None
    """How well the newest model imitates the baseline."""
    joined_at: int | None = None
    """Up to when the ledger counts; None before the first join."""


def statuses(data: Path, experiment: str | None = None) -> list[Status]:
    """Of one experiment, or of all in the data directory. Raises `UnknownExperiment`."""
    with Catalog(data) as catalog:
        entries = [catalog.experiment(experiment)] if experiment else catalog.experiments()
        return [_status(catalog, data, entry.name, entry.settings) for entry in entries]


def _status(catalog: Catalog, data: Path, name: str, settings: ExperimentSettings) -> Status:
    hosted, newest = catalog.hosted(name), catalog.newest_model(name)
    verdicts = {evaluation.candidate: evaluation.verdict for evaluation in catalog.evaluations(name)}
    models = tuple(
        ModelLine(
            model.model_id,
            model.parent,
            model.created_at,
            model.n_trained,
            model.metrics.get("mean_reward"),
            verdicts.get(model.model_id),
        )
        for model in catalog.models(name)
    )
    lake = DataDirectory(data).experiment(name).lake
    ledger = read_ledger(lake)
    return Status(
        name,
        settings.exploration if settings.ranges is None else "policies from a simulator or from episodes",
        hosted.model_id if hosted else first_model_id(name),
        hosted.deployed_at if hosted else None,
        models,
        tuple(catalog.deployments(name)),
        ledger,
        early_closing(ledger, settings.reward),
        settings.mode,
        _trial(catalog, data, name),
        tuple(catalog.rollouts(name)),
        drift_told(newest.metrics) if newest else "",
        _apprentice(catalog, name) if settings.mode == "apprentice" else None,
        read_joined(lake),
    )


def _apprentice(catalog: Catalog, name: str) -> MatchReport | None:
    judged = [each for each in catalog.evaluations(name) if each.verdict in {READY, IMITATING}]
    return msgspec.json.decode(judged[-1].report, type=MatchReport) if judged else None


def _trial(catalog: Catalog, data: Path, name: str) -> TrialView | None:
    step = catalog.open_rollout(name)
    if step is None:
        return None
    counts = trial_counts(DataDirectory(data).experiment(name).trial, step.trial)
    compared = counts.distance.n
    return TrialView(
        step,
        counts.champion.n,
        counts.challenger.n,
        counts.errors,
        counts.refused,
        counts.challenger.mean - counts.champion.mean,
        counts.agreed / compared if compared else None,
        counts.distance.mean if compared else None,
    )
