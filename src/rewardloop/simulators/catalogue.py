"""The environments that come along, as a table: what each shows, takes and rewards, and where it is from."""

from __future__ import annotations

from rewardloop.simulators.business.entries import ENTRIES as BUSINESS
from rewardloop.simulators.energyplus.shipped import entries as energyplus_entries
from rewardloop.simulators.energyplus.shipped import own_building
from rewardloop.simulators.entry import Entry
from rewardloop.simulators.fmi.entries import ENTRIES as FMI
from rewardloop.simulators.remote.entries import ENTRIES as REMOTE


def catalogue() -> tuple[Entry, ...]:
    """Every environment, by id.

    >>> [entry.id for entry in catalogue()][0]
    'rewardloop/DataCenter-1Zone-v0'
    """
    return (*energyplus_entries(), own_building(), *BUSINESS, *FMI, *REMOTE)
