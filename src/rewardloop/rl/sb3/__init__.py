"""Stable-Baselines3 and sb3-contrib behind the contract of a toolkit. The only folder that imports them.

Trained    `toolkit`, by `building` from a plan; `starting` where a good action is known; `watching` while it learns
Told       `table` of algorithms, their `parameters`
Kept       `states` of a training; `acting` and `exporting` of what was learned
"""

from rewardloop.rl.sb3.toolkit import StableBaselines3

__all__ = ["StableBaselines3"]
