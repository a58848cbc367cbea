"""Amazon SageMaker: endpoints, the bandits notebook, script mode, over what rewardloop has. No AWS account is needed."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rewardloop.compat.sagemaker.manager import ExperimentManager

__all__ = ["ExperimentManager"]


def __getattr__(name: str) -> object:
    """Import on first use (PEP 562): a server that answers SageMaker's clients needs no trainer."""
    if name not in __all__:
        raise AttributeError(f"module 'rewardloop.compat.sagemaker' has no attribute {name!r}")
    return getattr(import_module("rewardloop.compat.sagemaker.manager"), name)
