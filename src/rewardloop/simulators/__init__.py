"""Environments: what a policy is trained and compared on. `catalogue()` lists ours; importing this registers them with gymnasium.

A wing beside the loop: it uses settings, clock and errors, and neither knows the loop nor serves anything.
"""

from rewardloop.simulators.catalogue import catalogue
from rewardloop.simulators.entry import Entry
from rewardloop.simulators.registration import register

__all__ = ["Entry", "catalogue", "register"]

register()
