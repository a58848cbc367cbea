"""All checks over one log, and what the log says is to be gained. Each check stands in a file of its family."""

from __future__ import annotations

import msgspec
import numpy as np

from rewardloop.evaluation.diagnostics.boxes import box_exploration, is_box
from rewardloop.evaluation.diagnostics.calibration import calibration
from rewardloop.evaluation.diagnostics.clocks import clock_skew, duplicates
from rewardloop.evaluation.diagnostics.delays import late_rewards, lost_rewards, young_events
from rewardloop.evaluation.diagnostics.drift import context_drift, reward_drift
from rewardloop.evaluation.diagnostics.finding import Finding, Severity
from rewardloop.evaluation.diagnostics.models import model_mix
from rewardloop.evaluation.diagnostics.rewards import reward_values
from rewardloop.evaluation.diagnostics.size import ENOUGH, enough_events, one_experiment
from rewardloop.evaluation.diagnostics.split import sample_ratio
from rewardloop.evaluation.diagnostics.support import exploration, overlap, rare_actions, weight_tail
from rewardloop.evaluation.diagnostics.usable import sift, usable_rows
from rewardloop.evaluation.planning.learnability import Learnability, learnability
from rewardloop.evaluation.screening import Mask
from rewardloop.interactions import Interactions
from rewardloop.lake.observed import Observed


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a log, what that would bias, and what is to be gained from it."""

    severity: Severity
    """The worst of the findings."""
    findings: tuple[Finding, ...]
    n: int
    """Events looked at."""
    n_usable: int
    n_older: int
    """Left out because only the newest were asked for."""
    learnability: Learnability | None
    """None where fewer than 100 events are usable, over a box, and where rows of several experiments are mixed."""

    @property
    def failed(self) -> bool:
        return self.severity == "error"


def diagnose(log: Observed, seed: int = 0) -> Diagnosis:
    """Runs every check; the same log and seed give the same bits. Memory: a few times the log's."""
    mask, _ = sift(log.interactions)
    rows = np.flatnonzero(mask)
    rows = rows[np.argsort(log.decided_at[rows], kind="stable")]
    usable, settled = log.interactions.take(rows), log.interactions.take(rows[_settled(log)[rows]])
    findings = (*_of_the_log(log), *_of_the_support(log, usable), context_drift(settled), reward_drift(settled))
    gain = settled if len(settled) >= ENOUGH else usable
    tells = len(gain) >= ENOUGH and not is_box(gain) and not log.mixed
    return Diagnosis(
        severity=_worst(findings),
        findings=findings,
        n=len(log),
        n_usable=len(usable),
        n_older=log.n_older,
        learnability=learnability(gain, seed=seed) if tells else None,
    )


def _of_the_log(log: Observed) -> tuple[Finding, ...]:
    rows = (enough_events, usable_rows, one_experiment, duplicates, model_mix)
    times = (clock_skew, young_events, late_rewards, lost_rewards, sample_ratio)
    return tuple(check(log) for check in (*rows, *times))


def _of_the_support(log: Observed, usable: Interactions) -> tuple[Finding, ...]:
    if is_box(usable):
        return (reward_values(log, usable), *box_exploration(usable))
    by_both = (reward_values(log, usable), exploration(log, usable))
    return (*by_both, *(check(usable) for check in (calibration, overlap, rare_actions, weight_tail)))


def _settled(log: Observed) -> Mask:
    """(n,) whether the event is as old as all that still wait, or older; all, where none waits."""
    if log.settled_until is None or log.ledger is None or not log.ledger.open:
        return np.ones(len(log), bool)
    return np.asarray(log.decided_at <= log.settled_until)


_ORDER: tuple[Severity, ...] = ("ok", "note", "warning", "error")


def _worst(findings: tuple[Finding, ...]) -> Severity:
    return max((finding.severity for finding in findings), key=_ORDER.index)
