"""Batch reinforcement learning: policies from logged episodes, without a simulator, behind the contract of a toolkit."""

from rewardloop.rl.offline.toolkit import Offline

__all__ = ["Offline"]
