"""A bandit against an A/B test on the same visitors: simulated, so that what every arm would have paid is known."""

from rewardloop.comparing.comparison import LEVEL, Comparison, Earned, compare
from rewardloop.comparing.split import SplitDesign
from rewardloop.worlds.population import MAX_ARMS, Population, bernoulli

__all__ = ["LEVEL", "MAX_ARMS", "Comparison", "Earned", "Population", "SplitDesign", "bernoulli", "compare"]
