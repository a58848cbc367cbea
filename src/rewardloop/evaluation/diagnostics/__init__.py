"""What is wrong with a log, in plain sentences: `diagnose` runs every check."""

from rewardloop.evaluation.diagnostics.diagnose import Diagnosis, diagnose
from rewardloop.evaluation.diagnostics.finding import Finding, Severity

__all__ = ["Diagnosis", "Finding", "Severity", "diagnose"]
