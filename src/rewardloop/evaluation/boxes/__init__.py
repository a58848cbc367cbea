"""Off-policy evaluation where the action is a point of a box: weights are ratios of densities. The gate's rules stay the gate's."""

from rewardloop.evaluation.boxes.looking import BoxPolicy, look_at_box
from rewardloop.evaluation.boxes.reward_model import BoxRewardModel
from rewardloop.evaluation.boxes.screening import UNREAD

__all__ = ["UNREAD", "BoxPolicy", "BoxRewardModel", "look_at_box"]
