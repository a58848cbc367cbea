"""Trials of challengers: begin one, look at it, let it serve more, promote it, take it back.

The catalog's steps are the truth, each written whole before anything follows from it; the pointer follows them, and a process that
is killed between the two leaves what the next look, or `reconcile`, puts right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from rewardloop.clock import Clock
from rewardloop.deciding.hosted import first_model_id
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.evaluation.randomised.harm import Check
from rewardloop.lake import DataSet
from rewardloop.loop.deploying import Deploying
from rewardloop.loop.modelling import Modelling
from rewardloop.loop.trials.findings import Findings
from rewardloop.registry.records import RolloutStep

Mode = Literal["shadow", "canary", "ramp", "ab"]
HALF = 0.5
DEATHS = 3
"""Of serving processes during a trial: one may have another cause."""
By = Literal["loop", "hand"]


class Rollouts:
    """The trials of one experiment; at most one at a time."""

    def __init__(self, modelling: Modelling, deploying: Deploying, directory: Path, clock: Clock) -> None:
        self._deploying = deploying
        self._catalog = modelling.catalog
        self._settings = modelling.settings
        self._experiment = modelling.settings.experiment
        self.findings = Findings(modelling, directory)
        self._clock = clock

    def current(self) -> RolloutStep | None:
        """The step of the trial under way."""
        return self._catalog.open_rollout(self._experiment)

    def tried(self, model_id: str) -> bool:
        """Whether it has ever been on trial: what was taken back is not tried again by itself."""
        steps = self._catalog.rollouts(self._experiment)
        return any(model_id == (step.champion if step.kind == "hold back" else step.challenger) for step in steps)

    def begin(self, mode: Mode, model_id: str, by: By, share: float | None = None, sticky: str | None = None) -> RolloutStep:
        """Puts a model on trial; what is not said is as the settings say. A trial of the same model changes over to the new mode.

        Raises `Conflict` where another is on trial, `CorruptModel` where it fails its golden requests.
        """
        self._refuse_unfit(mode, model_id, share)
        self._deploying.check(model_id)
        before, now, rollout = self.current(), self._clock.now(), self._settings.rollout
        if before is not None and before.kind == "hold back":
            self.abort(f"`{model_id}` goes on trial")
        elif before is not None and before.challenger != model_id:
            raise Conflict(f"`{before.challenger}` is on trial already ({before.kind}): promote it or abort it first")
        shares = {"shadow": (0.0,), "canary": (share or rollout.share,), "ramp": rollout.steps, "ab": (share or HALF,)}[mode]
        hosted = self._catalog.hosted(self._experiment)
        step = RolloutStep(
            experiment=self._experiment,
            trial=now,
            champion=hosted.model_id if hosted else first_model_id(self._experiment),
            challenger=model_id,
            at=now,
            kind=mode,
            by=by,
            share=shares[0],
            scored=rollout.scored,
            sticky=(rollout.sticky or "") if sticky is None else sticky,
            shares=shares[1:],
            reason="passed the gate" if by == "loop" else "asked for",
        )
        if step.champion == model_id and mode != "ab":
            raise Conflict(f"`{model_id}` is hosted already")
        self._deploying.record(step)
        return step

    def hold_back(self, before: str) -> RolloutStep | None:
        """After a promotion: leaves a share to the model before, so that a regression can be tested on the same traffic."""
        share, hosted, now = self._settings.rollout.hold_back, self._catalog.hosted(self._experiment), self._clock.now()
        if not share or hosted is None or hosted.model_id == before:
            return None
        step = RolloutStep(
            experiment=self._experiment,
            trial=now,
            champion=hosted.model_id,
            challenger=before,
            at=now,
            kind="hold back",
            by="loop",
            share=share,
            sticky=self._settings.rollout.sticky or "",
            reason=f"`{hosted.model_id}` was promoted",
        )
        self._deploying.record(step)
        return step

    def watch(self) -> RolloutStep | None:
        """A look at errors and latency alone, cheap enough for every moment: the roll-back, if there was one."""
        step = self.current()
        return None if step is None or step.kind == "hold back" else self._judged(step, self.findings.served(step))

    def advance(self, data: DataSet) -> RolloutStep | None:
        """A look at everything: a roll-back where harm is found; the next step, or the promotion, where this one is over."""
        step = self.current()
        if step is None:
            return None
        checks, closed = self.findings.look(step, data)
        if step.kind == "hold back":
            return self._compared_with_before(step, checks[0], closed)
        done = self._judged(step, checks)
        if done is None and closed >= self._settings.rollout.min_events:
            done = self._onward(step, checks)
        return done

    def promote(self, by_hand: str = "asked for") -> RolloutStep:
        """Hosts the challenger. Raises `Conflict` where none is on trial."""
        step = self._required()
        if step.kind == "hold back":
            raise Conflict(f"`{step.challenger}` was hosted before `{step.champion}`: `rollback` returns to it")
        return self._promote(step, by_hand, [])

    def _compared_with_before(self, step: RolloutStep, check: Check, closed: int) -> RolloutStep | None:
        if check.harmed:
            self._deploying.deploy(step.challenger, "roll back", by_trial=True)
            return self._end(step, "roll back", f"`{step.champion}`, promoted: {check.sentence}", [check])
        if closed >= self._settings.rollout.min_events:
            return self._end(step, "abort", f"`{step.champion}`, promoted: {check.sentence}", [check])
        return None

    def abort(self, reason: str = "asked for") -> RolloutStep:
        """Takes the challenger back; the champion stays. Raises `Conflict` where none is on trial."""
        return self._end(self._required(), "abort", reason, [])

    def reconcile(self) -> None:
        """A promotion that was cut off after its deployment is entered as what it is."""
        last = next(iter(self._catalog.rollouts(self._experiment, limit=1)), None)
        hosted = self._catalog.hosted(self._experiment)
        if last is None or hosted is None or not last.is_open:
            return
        if hosted.model_id == last.challenger != last.champion:
            if last.kind == "hold back" and hosted.reason == "roll back":
                self._end(last, "roll back", "finished what was cut off", [])
            elif last.kind != "hold back" and hosted.reason == "rollout":
                self._end(last, "promote", "finished what was cut off", [])

    def _refuse_unfit(self, mode: Mode, model_id: str, share: float | None) -> None:
        if self._settings.training.mode == "online":
            raise Conflict("Online learning replaces the champion all the time: a trial needs `training.mode: batch`")
        if self._settings.mode != "online":
            raise Conflict(f"The baseline decides (`mode: {self._settings.mode}`): a trial needs `mode: online`")
        if share is not None and not (mode in {"canary", "ab"} and 0 < share < 1):
            raise InvalidInput(
                f"Expected a share above 0 and below 1, of a canary or an A/B test, got {share:g} of `{mode}`", at="share"
            )
        if model_id == first_model_id(self._experiment) and mode != "ab":
            raise InvalidInput(f"`{model_id}` is no trained model: `rollback` serves it", at="model_id")

    def _required(self) -> RolloutStep:
        step = self.current()
        if step is None:
            raise Conflict(f"Expected a challenger of `{self._experiment}` on trial, found none")
        return step

    def _judged(self, step: RolloutStep, checks: Sequence[Check]) -> RolloutStep | None:
        counts = self.findings.counts(step)
        if counts.refused:
            return self._end(step, "roll back", f"{counts.refused} serving processes could not take it into memory.", checks)
        if counts.died >= DEATHS:
            return self._end(step, "roll back", f"{counts.died} serving processes died while it was on trial.", checks)
        harm = next((check for check in checks if check.harmed), None)
        return None if harm is None else self._end(step, "roll back", harm.sentence, checks)

    def _onward(self, step: RolloutStep, checks: Sequence[Check]) -> RolloutStep | None:
        if step.shares:
            return self._record(step, "ramp", "no harm was found", checks, share=step.shares[0], shares=step.shares[1:])
        automatic = step.by == "loop" or step.kind == "ramp"
        return self._promote(step, "no harm was found", checks) if automatic else None

    def _promote(self, step: RolloutStep, reason: str, checks: Sequence[Check]) -> RolloutStep:
        self._deploying.deploy(step.challenger, "rollout", by_trial=True)
        done = self._end(step, "promote", reason, checks)
        self.hold_back(step.champion)
        return done

    def _end(
        self, step: RolloutStep, kind: Literal["promote", "abort", "roll back"], reason: str, checks: Sequence[Check]
    ) -> RolloutStep:
        return self._record(step, kind, reason, checks, share=step.share, shares=())

    def _record(
        self,
        step: RolloutStep,
        kind: Literal["ramp", "promote", "abort", "roll back"],
        reason: str,
        checks: Sequence[Check],
        *,
        share: float,
        shares: tuple[float, ...],
    ) -> RolloutStep:
        numbers = {f"{check.name}_{key}": getattr(check, key) for check in checks for key in ("number", "lower", "upper", "n")}
        known = {name: float(number) for name, number in numbers.items() if math.isfinite(number)}
        after = msgspec.structs.replace(
            step, at=self._clock.now(), kind=kind, reason=reason, numbers=known, share=share, shares=shares
        )
        self._deploying.record(after)
        return after
