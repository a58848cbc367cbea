"""Batch reinforcement learning: policies from logged episodes, without a simulator, behind the contract of a toolkit.

Trained    `toolkit`, on `batches` of logged episodes, by `learners` made of `networks`
Told       `table` of algorithms and their hyperparameters
Kept       `exporting` of what was learned
"""

from rewardloop.rl.offline.toolkit import Offline

__all__ = ["Offline"]
