"""The engine that serves a policy trained in a simulator: an ONNX network and its head. The only file that imports onnxruntime.

No torch, no toolkit, no simulator: what `rewardloop rl deploy` wrote is all it needs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # It would tell Microsoft of every process and model; read when it is imported.

import onnxruntime

from rewardloop.actions import ActionSet, Ranges
from rewardloop.errors import Conflict, CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.continuous import Spread
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.onnx_head import Head, read_head
from rewardloop.settings import ExperimentSettings

ENGINE: Final = "onnx"
NETWORK: Final = "policy.onnx"
HEAD: Final = "head.json"


class OnnxPolicy:
    """A fixed policy over fixed arms: arm i is the i-th action of the environment it was trained in.

    A context must hold every number of the observation (`{"observation": [0.1, …]}`, or by name for a dictionary): a reading that
    is missing is refused, for no value in its place is right. It learns nothing from the log.
    """

    def __init__(self, network: bytes, head: Head) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class for each of its many reasons.
            raise CorruptModel(f"Expected an ONNX network: {str(error).splitlines()[0]}") from None
        self._network = network
        self._head = head

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings`: it is trained in a simulator."""
        raise InvalidSettings("A policy for `onnx` comes from `rewardloop rl deploy`, not from the log", at="$.policy.exploration")

    def numbers(self, context: Features) -> Floats:
        """What the network says to the observation in a context. Raises `InvalidInput` where a reading is missing."""
        answer: Floats = self._session.run(None, {"observation": self._head.vector(context)})[0][0]
        return answer

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        if len(actions) != self._head.n_arms:
            raise InvalidInput(
                f"Expected the {self._head.n_arms} actions the policy was trained with, got {len(actions)}", at="$.actions"
            )
        return self._head.pmf(self.numbers(context))

    def spread(self, context: Features, ranges: Ranges) -> Spread:
        """Over a box of continuous actions, which must be the one it was trained in."""
        if ranges != (self._head.low, self._head.high):
            raise InvalidInput(
                f"Expected actions from {self._head.low} to {self._head.high}, got {ranges.low} to {ranges.high}", at="$.actions"
            )
        return self._head.spread(self.numbers(context))

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        """One at a time: a network rounds otherwise in a batch."""
        rows = [self.pmf(context, offered) for context, offered in zip(contexts, actions, strict=True)]
        return np.concatenate([np.empty(0), *rows])

    def learn(self, interactions: Interactions) -> None:
        """Raises `Conflict` where there is anything to learn from."""
        if len(interactions):
            raise Conflict("A policy exported from a simulator does not learn from the log; train it on with `rewardloop rl train`")

    def save(self, directory: Path) -> None:
        save_policy(directory, self._network, self._head)

    @classmethod
    def load(cls, directory: Path) -> Self:
        network, head = read_model(directory, ENGINE, (NETWORK, HEAD))
        return cls(network, read_head(head))


def save_policy(directory: Path, network: bytes, head: Head) -> None:
    """Writes an exported policy as a model that `load` reads."""
    write_model(directory, ENGINE, {NETWORK: network, HEAD: head_to_json(head)})


def head_to_json(head: Head) -> bytes:
    return msgspec.json.encode(head)
