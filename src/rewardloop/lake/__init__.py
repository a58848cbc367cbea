"""The lake: decisions and rewards as Parquet, joined into data sets that never change."""

from rewardloop.lake.dataset import DataSet
from rewardloop.lake.followed import Followed
from rewardloop.lake.join import Engine
from rewardloop.lake.lake import Lake, read_ledger
from rewardloop.lake.ledger import Ledger

__all__ = ["DataSet", "Engine", "Followed", "Lake", "Ledger", "read_ledger"]
