"""What `ExperimentManager.predictor` is: the endpoint, asked in this process. Decisions are logged as a server logs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from rewardloop.compat.sagemaker.features import decode_observed, named
from rewardloop.compat.sagemaker.rows import plain
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.exchange.joined.rows import OBSERVATION
from rewardloop.loop.experiment import Experiment


class Array(Protocol):
    """A numpy array, or what can become a list as one does."""

    def tolist(self) -> object: ...


class Action(NamedTuple):
    """Unpacks as 2019's tuple."""

    action: int
    """From 1."""
    event_id: str
    model_id: str
    action_prob: float
    sample_prob: float


class Endpoint:
    """The experiment as it is open now: opened anew with other settings, it is the same endpoint to whoever holds a predictor."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment


class Predictor:
    """A client of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint_name = endpoint.experiment.settings.experiment
        self._endpoint: Endpoint | None = endpoint

    def get_action(self, obs: Sequence[float | str] | Array) -> Action:
        """Choose an action; it is logged when this returns. Raises `InvalidInput`, and `Conflict` after `delete_endpoint`."""
        try:
            observed = decode_observed(msgspec.json.encode(obs, enc_hook=plain))
        except msgspec.DecodeError as error:
            raise InvalidInput(f"Expected a list of numbers and texts as `obs`: {error}") from None
        made = self._hosted().decide(named(observed, OBSERVATION))
        return Action(made.action + 1, made.event_id, made.model_id, made.probability, made.sample_prob)

    def get_hosted_model_id(self) -> str:
        return self._hosted().serving()

    def delete_endpoint(self) -> None:
        """This predictor decides no more. Models and log stay, and a server goes on."""
        self._endpoint = None

    def _hosted(self) -> Experiment:
        if self._endpoint is None:
            raise Conflict(f"Endpoint `{self.endpoint_name}` was deleted; deploy_model hosts again")
        return self._endpoint.experiment
