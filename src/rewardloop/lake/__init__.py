"""The lake: decisions and rewards as Parquet, joined into data sets that never change.

The lake   `lake` serves the loop; `storage` changes its directory atomically, as the `manifest` says; `parts` are its files,
           `merging` keeps them few
In         `columns` of records, slots taken apart by `spreading`; `admission` of the new ones; `keys` to find an event by
The join   `join`, its SQL in `statements`; `stories` of events with several rewards; what is where in the `ledger`; `fingerprint`
Out        `dataset`, read by `labels`, `rows`, `parsing`; `followed` and `observed` decisions, their `progress`; `metrics`;
           `opening` of an event
Forgetting `erasing`
"""

from rewardloop.lake.dataset import DataSet
from rewardloop.lake.followed import Followed
from rewardloop.lake.join import Engine
from rewardloop.lake.lake import Lake, read_joined, read_ledger
from rewardloop.lake.ledger import Ledger

__all__ = ["DataSet", "Engine", "Followed", "Lake", "Ledger", "read_joined", "read_ledger"]
