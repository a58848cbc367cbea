"""RLlib behind the contract of a toolkit. The only folder that imports Ray's reinforcement learning.

Trained    `toolkit`, by `building` from a plan, on `adapting` environments; `learning` is the loop; `cluster` where it runs
Told       `table` of algorithms, their `parameters`
Kept       `states` of a training, with its running `moments`; `acting`, `dreaming` and `exporting` of what was learned
Many       `scattering`: trials of a study as Ray tasks
"""

from rewardloop.rl.rllib.toolkit import RLlib

__all__ = ["RLlib"]
