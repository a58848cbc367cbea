"""One experiment in this process: all that the HTTP API and the commands do, without a server.

`opened` holds its files and parts; on that stand `deciding`, `looking` and `trying`, and `experiment` adds the steps of the loop.
"""

from rewardloop.loop.experiment.experiment import Experiment, TakenIn, experiment_of

__all__ = ["Experiment", "TakenIn", "experiment_of"]
