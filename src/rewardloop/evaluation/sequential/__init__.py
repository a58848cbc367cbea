"""Off-policy evaluation of policies that act many times an episode: what a policy would earn, from episodes another one logged."""

from rewardloop.evaluation.sequential.estimators import ESTIMATORS
from rewardloop.evaluation.sequential.fitted import fitted_q
from rewardloop.evaluation.sequential.report import SequentialReport, evaluate_episodes
from rewardloop.evaluation.sequential.smoothing import QModel
from rewardloop.evaluation.sequential.target import Densities
from rewardloop.evaluation.sequential.trajectories import Trajectories

__all__ = ["ESTIMATORS", "Densities", "QModel", "SequentialReport", "Trajectories", "evaluate_episodes", "fitted_q"]
