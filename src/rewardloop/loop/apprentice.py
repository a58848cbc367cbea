"""How well a model imitates the baseline: its match rate on decisions that it was not trained on, and whether it is ready."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from scipy.special import ndtri

from rewardloop.evaluation import Estimate
from rewardloop.events import APPRENTICE
from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet
from rewardloop.loop.modelling import Modelling
from rewardloop.registry.records import ModelRecord

READY, IMITATING = "ready", "imitating"


class MatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded with the model."""

    verdict: str
    """`ready` or `imitating`."""
    summary: str
    match_rate: Estimate | None
    """Share of decisions whose baseline action is the model's likeliest; None without any."""
    constant: float | None
    """The match rate of always choosing the baseline's most frequent action: what little there was to learn."""
    ready_at: float


def judge_apprentice(modelling: Modelling, model: ModelRecord, data: DataSet, at: int) -> MatchReport:
    """Compares a model with the baseline on the newest held-out decisions; recorded for ever."""
    settings = modelling.settings
    newest = settings.gate.max_events
    batches = data.interactions(
        after=0, until=data.watermark, split="eval", ratio=settings.training.ratio, newest=newest, batch=max(newest, 1)
    )
    log = next(iter(batches), Interactions.empty())
    log = log.take(np.array([variant.startswith(APPRENTICE) for variant in log.variant], bool))
    report = match_report(_matches(modelling, model, log), log, settings.gate.level, settings.ready_at)
    modelling.catalog.record_evaluation(
        settings.experiment, model.model_id, None, at, report.verdict, msgspec.json.encode(report).decode()
    )
    return report


def match_report(n_matched: int, log: Interactions, level: float, ready_at: float) -> MatchReport:
    """From the number of matches among the baseline's decisions `log`."""
    n = len(log)
    if n == 0:
        summary = "Imitating: no held-out decision of the baseline has closed yet."
        return MatchReport(verdict=IMITATING, summary=summary, match_rate=None, constant=None, ready_at=ready_at)
    rate = wilson(n_matched, n, level)
    chosen = [offered.ids[action] for offered, action in zip(log.actions, log.action, strict=True)]
    constant = float(np.unique(chosen, return_counts=True)[1].max()) / n
    ready = rate.lower >= ready_at
    verdict = READY if ready else IMITATING
    found = f"it would have done as the baseline did in {rate.value:.1%} of {n:,} decisions ({rate.lower:.1%} to {rate.upper:.1%})"
    summary = f"{verdict.capitalize()}: {found}; {ready_at:.0%} by the lower end is ready. One action alone matches {constant:.1%}."
    return MatchReport(verdict=verdict, summary=summary, match_rate=rate, constant=constant, ready_at=ready_at)


def wilson(successes: int, n: int, level: float) -> Estimate:
    """The score interval of a share (Wilson 1927): for one look, good for small n and shares near 1.

    >>> print(wilson(95, 100, 0.95))
    0.95 (95 % interval 0.8882 to 0.9785, n 100, ess 100.0)
    """
    z = float(ndtri((1 + level) / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, max(centre - half, 0.0), min(centre + half, 1.0), level, n, float(n))


def _matches(modelling: Modelling, model: ModelRecord, log: Interactions) -> int:
    if not len(log):
        return 0
    pmf = modelling.load(model.model_id).pmf_many(log.contexts, log.actions)
    best = [int(pmf[start:end].argmax()) for start, end in zip(log.offsets[:-1], log.offsets[1:], strict=True)]
    return int((np.array(best) == log.action).sum())
