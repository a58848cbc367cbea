"""What is hosted and what is on trial, by hand: deploy, shadow, canary, ramp, A/B test, and back again."""

from __future__ import annotations

from rewardloop.deciding.hosted import first_model_id
from rewardloop.errors import Conflict
from rewardloop.evaluation.randomised.two_sample import ABTest
from rewardloop.loop.experiment.looking import Looking
from rewardloop.registry.records import Deployment, RolloutStep


class Trying(Looking):
    """Each takes effect for every process that serves, within moments."""

    def deploy(self, model_id: str) -> Deployment:
        """Host a model, whatever the gate said of it. Raises `CorruptModel` where it does not answer as it did when trained."""
        return self.deploying.deploy(model_id, "manual")

    def shadow(self, model_id: str) -> RolloutStep:
        """Try a model without serving it: it scores what the hosted one decides. Raises `Conflict` where another is on trial."""
        return self.rollouts.begin("shadow", model_id, "hand")

    def canary(self, model_id: str, share: float | None = None, sticky: str | None = None) -> RolloutStep:
        """Let a model make a `share` of the decisions (by default `rollout.share`). The loop takes it back where it does harm.

        `sticky` names a feature of the context, such as `user.id`: one value of it always meets the same model.
        """
        return self.rollouts.begin("canary", model_id, "hand", share, sticky)

    def ramp(self, model_id: str, sticky: str | None = None) -> RolloutStep:
        """Let a model make a growing share of the decisions, by `rollout.steps`, up to promotion, as long as it does no harm."""
        return self.rollouts.begin("ramp", model_id, "hand", None, sticky)

    def ab_test(self, b: str, a: str | None = None, share: float | None = None, sticky: str | None = None) -> RolloutStep:
        """Begin an A/B test of model `b`, by default on half of the decisions, against `a`, which is hosted for it if it is not.

        The same model twice makes an A/A test; `{experiment}.0` is the uniform policy. `promote` or `abort` ends it.
        """
        hosted = self.catalog.hosted(self.settings.experiment)
        if (trial := self.rollouts.current()) is not None:
            raise Conflict(f"`{trial.challenger}` is on trial already ({trial.kind}): promote it or abort it first")
        if a is not None and a != (hosted.model_id if hosted else first_model_id(self.settings.experiment)):
            self.deploying.deploy(a, "A of an A/B test")
        return self.rollouts.begin("ab", b, "hand", share, sticky)

    def ab_report(self) -> ABTest:
        """How the newest A/B test stands now. Raises `Conflict` where there was none."""
        return self.rollouts.findings.ab_test(self.newest_data())

    def promote(self) -> RolloutStep:
        """Host the model that is on trial, which ends the trial. Raises `Conflict` where none is."""
        return self.rollouts.promote()

    def abort(self) -> RolloutStep:
        """End the trial and go on with the hosted model alone. Raises `Conflict` where none is on trial."""
        return self.rollouts.abort()

    def roll_back(self) -> Deployment:
        """Host what was hosted before; called again, one further back. Raises `Conflict` at the beginning of the history."""
        return self.deploying.roll_back()
