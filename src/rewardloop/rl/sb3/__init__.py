"""Stable-Baselines3 and sb3-contrib behind the contract of a toolkit. The only folder that imports them."""

from rewardloop.rl.sb3.toolkit import StableBaselines3

__all__ = ["StableBaselines3"]
