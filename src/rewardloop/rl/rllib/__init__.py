"""RLlib behind the contract of a toolkit. The only folder that imports Ray's reinforcement learning."""

from rewardloop.rl.rllib.toolkit import RLlib

__all__ = ["RLlib"]
