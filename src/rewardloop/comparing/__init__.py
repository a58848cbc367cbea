"""A bandit against an A/B test: simulated, where what every arm would have paid is known, or replayed on a log.

Simulated  `comparison` gives the same visitors to a `split` test and to each `bandit`
On a log   `replaying` draws each `resample` and replays it by `rejection` or by `importance`; `replayed` is what was found
"""

from rewardloop.comparing.comparison import LEVEL, Comparison, Earned, compare
from rewardloop.comparing.replayed import Replayed, Way
from rewardloop.comparing.replaying import replayed
from rewardloop.comparing.split import SplitDesign
from rewardloop.worlds.logged import Replay
from rewardloop.worlds.population import MAX_ARMS, Population, bernoulli

__all__ = [
    "LEVEL",
    "MAX_ARMS",
    "Comparison",
    "Earned",
    "Population",
    "Replay",
    "Replayed",
    "SplitDesign",
    "Way",
    "bernoulli",
    "compare",
    "replayed",
]
