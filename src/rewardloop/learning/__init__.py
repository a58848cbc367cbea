"""From a data set to a model: batch training, and rebuilding any model from its lineage."""

from rewardloop.learning.training import Trained, golden_requests, train

__all__ = ["Trained", "golden_requests", "train"]
