"""What is known of a trial: the tests as they stand, from what serving counted and what the lake joined. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from rewardloop.deciding.trial_counts import TrialCounts
from rewardloop.errors import Conflict
from rewardloop.evaluation.randomised.harm import Check
from rewardloop.evaluation.randomised.two_sample import ABTest
from rewardloop.lake import DataSet, Followed
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.trials.checks import (
    compared,
    decided_check,
    held_back_check,
    n_closed,
    randomised_check,
    served_checks,
    shadow_check,
)
from rewardloop.loop.trials.files import trial_counts
from rewardloop.registry.records import RolloutStep

HISTORY = 100
"""Steps looked back on: a trial has no more."""


class Findings:
    """Of the trials of one experiment."""

    def __init__(self, modelling: Modelling, directory: Path) -> None:
        self._modelling = modelling
        self._catalog = modelling.catalog
        self._settings = modelling.settings
        self._experiment = modelling.settings.experiment
        self._directory = directory

    def counts(self, step: RolloutStep) -> TrialCounts:
        """What serving counted of its trial."""
        return trial_counts(self._directory, step.trial)

    def served(self, step: RolloutStep) -> list[Check]:
        """Errors and latency: what serving counted alone."""
        return served_checks(self._settings, self.counts(step))

    def look(self, step: RolloutStep, data: DataSet) -> tuple[list[Check], int]:
        """Every test as it stands, and how many decisions of the step have closed."""
        steps = self._steps(step)
        seen = data.follow(step.trial, contexts=bool(step.sticky))
        if step.kind == "hold back":
            return [held_back_check(self._settings, steps, seen)], n_closed(step, seen)
        if step.kind == "ab":
            reward = decided_check(compared(self._settings, steps, seen))
        elif step.share:
            reward = randomised_check(self._settings, steps, seen)
        else:
            reward = shadow_check(self._modelling, step, data)
        return [*self.served(step), reward], n_closed(step, seen)

    def ab_test(self, data: DataSet) -> ABTest:
        """How the A/B test under way stands; of the newest one, where none is. Raises `Conflict` where there never was any."""
        steps = self._catalog.rollouts(self._experiment, limit=HISTORY)
        newest = next((step for step in reversed(steps) if step.kind == "ab"), None)
        if newest is None:
            raise Conflict(f"Expected an A/B test of `{self._experiment}`, found none: begin one with --b MODEL")
        return compared(self._settings, [newest], self._until_its_end(newest, data))

    def _until_its_end(self, step: RolloutStep, data: DataSet) -> Followed:
        seen = data.follow(step.trial, contexts=bool(step.sticky))
        end = next((each.at for each in self._steps(step) if not each.is_open), None)
        return seen if end is None else seen.before(end)

    def _steps(self, step: RolloutStep) -> list[RolloutStep]:
        return [each for each in self._catalog.rollouts(self._experiment, limit=HISTORY) if each.trial == step.trial]
