"""Off-policy evaluation: estimators, intervals, support, and the gate that decides what is hosted.

A log      `screening` counts what cannot be used; `seen` keeps a few numbers an event; `sample` makes of them the columns that
           every estimator reads, with a reward model of `reward_models` (`arms` and `folds` number actions and events);
           `units` says which events are slots of one decision;
           `support` is how much of a policy the log knows
A value    `estimators`; `estimates` asks all of them; each answers an `estimate`
Interval   `intervals` for one look, `sequences` for any number of looks
The gate   `gate`: its rules, its guardrails, its verdict
On trial   `randomised`: decisions whose variant was drawn
Before     `planning`: how many events, and is there signal; `diagnostics`: what is wrong with a log
Why        `explanations`: what a feature is worth, and what it did to one decision
Documents  `documents`: an evaluation (of an experiment, of a file) or an explanation, whole
Elsewhere  `rankings` of several slots, `boxes` of continuous actions, `sequential` for episodes
"""

from rewardloop.evaluation.documents.explained import DecisionReport, PolicyReport
from rewardloop.evaluation.documents.full import EvaluationReport, PolicyName, Subject, full_report
from rewardloop.evaluation.documents.of_file import evaluate_file
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimates import estimate_all
from rewardloop.evaluation.estimators.calibrated import cdr
from rewardloop.evaluation.estimators.cressie_read import cressie_read
from rewardloop.evaluation.estimators.estimators import ESTIMATORS, Estimator, dm, dr, ips, sndr, snips
from rewardloop.evaluation.estimators.shrinking import clipped_ips, dros, switch_dr
from rewardloop.evaluation.explanations.contributions import Contribution, Contributions, Typical, contributions, typical
from rewardloop.evaluation.explanations.feature_groups import By
from rewardloop.evaluation.explanations.importance import FeatureImportance, Importance, importance
from rewardloop.evaluation.gate.gate import evaluate, judge
from rewardloop.evaluation.gate.report import GateReport
from rewardloop.evaluation.gate.rules import Rule, Verdict
from rewardloop.evaluation.intervals import bootstrap, empirical_bernstein, normal
from rewardloop.evaluation.rankings.estimators import (
    RankedSample,
    cascade_dr,
    cascade_ips,
    independent_ips,
    joint_ips,
    pseudo_inverse,
)
from rewardloop.evaluation.rankings.log import Conditional, ranked_sample, without_replacement
from rewardloop.evaluation.rankings.report import RankedEstimates, RankedReport, ranked_report
from rewardloop.evaluation.sample import Sample, as_logged, sample
from rewardloop.evaluation.seen import Log, Seen, Serve, look
from rewardloop.evaluation.sequences import ConfidenceSequence, asymptotic, asymptotic_sequence, bernstein_sequence
from rewardloop.evaluation.support import Support, support

__all__ = [
    "ESTIMATORS",
    "By",
    "Conditional",
    "ConfidenceSequence",
    "Contribution",
    "Contributions",
    "DecisionReport",
    "Estimate",
    "Estimator",
    "EvaluationReport",
    "FeatureImportance",
    "GateReport",
    "Importance",
    "Log",
    "PolicyName",
    "PolicyReport",
    "RankedEstimates",
    "RankedReport",
    "RankedSample",
    "Rule",
    "Sample",
    "Seen",
    "Serve",
    "Subject",
    "Support",
    "Typical",
    "Verdict",
    "as_logged",
    "asymptotic",
    "asymptotic_sequence",
    "bernstein_sequence",
    "bootstrap",
    "cascade_dr",
    "cascade_ips",
    "cdr",
    "clipped_ips",
    "contributions",
    "cressie_read",
    "dm",
    "dr",
    "dros",
    "effective_sample_size",
    "empirical_bernstein",
    "estimate_all",
    "evaluate",
    "evaluate_file",
    "full_report",
    "importance",
    "independent_ips",
    "ips",
    "joint_ips",
    "judge",
    "look",
    "normal",
    "pseudo_inverse",
    "ranked_report",
    "ranked_sample",
    "sample",
    "sndr",
    "snips",
    "support",
    "switch_dr",
    "typical",
    "without_replacement",
]
