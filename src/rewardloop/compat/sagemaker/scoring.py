"""The score of 2019, a cost: lower is better. Estimated by the gate's own estimator, which says when it cannot."""

from __future__ import annotations

import logging

from rewardloop.deciding.hosted import first_model_id
from rewardloop.evaluation import GateReport
from rewardloop.loop.experiment import Experiment

_logger = logging.getLogger(__name__)


def cost(experiment: Experiment, model_id: str, hosted: str | None) -> float:
    """1 − the mean reward that a model is estimated to earn on held-out events; NaN where the log cannot say."""
    report = _judged(experiment, model_id, hosted)
    if report.verdict in ("insufficient_support", "insufficient_data") or not report.candidate:
        _logger.warning("experiment=%s no score of %s. %s", experiment.settings.experiment, model_id, report.summary)
        return float("nan")
    return 1.0 - report.candidate[report.estimator].value


def _judged(experiment: Experiment, model_id: str, hosted: str | None) -> GateReport:
    """A model that was trained and is not hosted meets the gate, for the record; the others are estimated only."""
    if model_id in (first_model_id(experiment.settings.experiment), hosted):
        return experiment.judging.estimate(model_id, experiment.join())
    return experiment.evaluate(model_id)
