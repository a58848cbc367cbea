"""Off-policy evaluation: estimators, intervals, support, and the gate that decides what is hosted."""

from rewardloop.evaluation.cressie_read import cressie_read
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimates import estimate_all
from rewardloop.evaluation.estimators import ESTIMATORS, Estimator, dm, dr, ips, sndr, snips
from rewardloop.evaluation.gate import evaluate
from rewardloop.evaluation.intervals import bootstrap, empirical_bernstein, normal
from rewardloop.evaluation.report import GateReport
from rewardloop.evaluation.rules import Rule, Verdict
from rewardloop.evaluation.sample import Sample, as_logged, sample
from rewardloop.evaluation.sequences import ConfidenceSequence, asymptotic, asymptotic_sequence, bernstein_sequence
from rewardloop.evaluation.support import Support, support

__all__ = [
    "ESTIMATORS",
    "ConfidenceSequence",
    "Estimate",
    "Estimator",
    "GateReport",
    "Rule",
    "Sample",
    "Support",
    "Verdict",
    "as_logged",
    "asymptotic",
    "asymptotic_sequence",
    "bernstein_sequence",
    "bootstrap",
    "cressie_read",
    "dm",
    "dr",
    "effective_sample_size",
    "empirical_bernstein",
    "estimate_all",
    "evaluate",
    "ips",
    "normal",
    "sample",
    "sndr",
    "snips",
    "support",
]
