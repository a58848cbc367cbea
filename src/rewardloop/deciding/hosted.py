"""The model that decides in this process, and the one that decides before any was trained."""

from __future__ import annotations

from typing import NamedTuple

from rewardloop.actions import ActionSet
from rewardloop.deciding.trials import Scorer, Trial
from rewardloop.policies.contract import Policy
from rewardloop.policies.exposure import Exposure, Limits
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.settings import Draws, ExperimentSettings


class Hosted(NamedTuple):
    """A model in memory. Immutable, so that hosting another is one assignment."""

    model_id: str
    policy: Policy
    floor: float
    """From the settings that the model was trained under: what it serves can be replayed from its manifest alone."""
    trial: Trial | None = None
    """A challenger that scores, or decides a share."""
    draws: Draws = "each"
    """How rankings are drawn; from the same settings."""
    exposure: Exposure | None = None
    """From the same settings."""

    def limits(self, actions: ActionSet, at: int) -> Limits | None:
        return self.exposure.limits(actions.ids, at) if self.exposure is not None else None

    @property
    def scorer(self) -> Scorer:
        """What a trial compares with."""
        return Scorer(self.model_id, self.policy, self.floor, self.draws, self.exposure)


def first_model_id(experiment: str) -> str:
    """The uniform policy, which is served until a model was trained.

    >>> first_model_id("offers")
    'offers.0'
    """
    return f"{experiment}.0"


def first_model(settings: ExperimentSettings) -> Hosted:
    """What is served until a model was trained: the uniform policy."""
    floor, exposure = settings.policy.floor, Exposure.of(settings)
    return Hosted(first_model_id(settings.experiment), UniformPolicy(), floor, draws=settings.draws, exposure=exposure)
