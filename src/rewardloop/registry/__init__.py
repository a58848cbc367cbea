"""What a data directory knows: experiments, models, what is hosted, who is at work.

Where      `layout` knows every path, `names` every model id
Kept       `catalog` of `records`, over `rows` of `tables` in a `database`; the deployments' `history`
Models     `models`, in and out by `staging`; the `pointer` says which is hosted
Who        `leases` make sure of one at a time; `api_keys`, and the secrets for `signing`
"""

from rewardloop.registry.catalog import Catalog
from rewardloop.registry.leases import Lease
from rewardloop.registry.models import ModelStore
from rewardloop.registry.pointer import Challenger, Hosted, HostedWatch, read_hosted, write_hosted
from rewardloop.registry.records import Deployment, Evaluation, ExperimentEntry, GoldenRequest, ModelRecord, RolloutStep

__all__ = [
    "Catalog",
    "Challenger",
    "Deployment",
    "Evaluation",
    "ExperimentEntry",
    "GoldenRequest",
    "Hosted",
    "HostedWatch",
    "Lease",
    "ModelRecord",
    "ModelStore",
    "RolloutStep",
    "read_hosted",
    "write_hosted",
]
