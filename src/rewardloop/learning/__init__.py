"""From a data set to a model: batch training, and rebuilding any model from its lineage."""

from rewardloop.learning.examined import examined, examined_stream
from rewardloop.learning.training import Trained, golden_requests, train

__all__ = ["Trained", "examined", "examined_stream", "golden_requests", "train"]
