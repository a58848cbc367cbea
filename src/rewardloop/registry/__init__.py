"""What a data directory knows: experiments, models, what is hosted, who is at work."""

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
