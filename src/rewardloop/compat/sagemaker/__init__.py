"""Amazon SageMaker: endpoints, the bandits notebook, script mode, over what rewardloop has. No AWS account is needed.

Endpoints  `routes` and `hosting`; `target` is the experiment meant, `requests` what is asked, `answers` and `replies` what goes
           back, errors in their `words`; `features` between unnamed numbers and named features, `events` between ids
Signed     `signing`, by `sigv4`
Notebook   `manager` is the class of 2019, its `predictor`, its `record`; `rows` in by `ingesting`, `scoring`; `simulation` stands
           where CloudWatch stood
Data       `joined` as CSV, over `s3` with its `s3_listing`
Scripts    `script`, which find `vw_executable` on the PATH
"""

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
