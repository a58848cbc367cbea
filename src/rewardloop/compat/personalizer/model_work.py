"""The process that reads and writes models for a server: `python -m` this module, DATA, EXPERIMENT, WORK."""

from __future__ import annotations

import sys
from contextlib import suppress

import msgspec

from rewardloop.compat.personalizer.archives import pack, unpack
from rewardloop.compat.personalizer.starting import REFUSED, Refusal
from rewardloop.deciding.hosted import first_model_id
from rewardloop.errors import CorruptModel, DirectoryInUse, InvalidInput, RewardloopError, UnknownModel
from rewardloop.loop.erasure_files import Wanted
from rewardloop.loop.experiment import Experiment
from rewardloop.loop.probing import probe
from rewardloop.policies import load_policy
from rewardloop.scratch import Scratch


def work(experiment: Experiment, what: str, body: bytes) -> bytes:
    """What is to be answered. Raises `InvalidInput`, `UnknownModel`, `CorruptModel`, `StorageUnavailable`."""
    if what == "import":
        take_in(experiment, body)
    elif what == "reset":
        experiment.deploying.deploy(first_model_id(experiment.settings.experiment), "manual")
    elif what == "delete-logs":
        with suppress(DirectoryInUse):  # the loop runs, and does it
            experiment.erase(Wanted(until=experiment.clock.now()))
    else:
        return export(experiment, signed=what == "export-signed")
    return b""


def export(experiment: Experiment, *, signed: bool) -> bytes:
    """The hosted model."""
    hosted = experiment.catalog.hosted(experiment.settings.experiment)
    if hosted is None or hosted.model_id == first_model_id(experiment.settings.experiment):
        raise UnknownModel("No model is hosted but the first one, which chooses evenly: `rewardloop run` trains one")
    record, directory = experiment.modelling.store.open(hosted.model_id)
    return pack(record, directory, experiment.catalog.salt if signed else None)


def take_in(experiment: Experiment, raw: bytes) -> None:
    """Keeps it as the next model and hosts it. What it answers to its own golden requests is checked before."""
    with Scratch() as place:
        record = unpack(raw, place, experiment.catalog.salt)
        if record.settings.action_ids != experiment.settings.action_ids:
            raise InvalidInput(f"Model `{record.model_id}` is of an experiment with other fixed actions")
        try:
            policy = load_policy(place)
            probe(policy, record)
        except CorruptModel as error:
            raise InvalidInput(f"Not a model that answers as it was trained to: {error}") from None
        taken = experiment.modelling.take_in(policy, f"import of {record.model_id}", record.golden, record.metrics)
        experiment.deploying.deploy(taken.model_id, "manual")


def main(root: str, name: str, what: str) -> int:
    """The exit code."""
    try:
        with Experiment.open(name, root) as experiment:
            answer = work(experiment, what, sys.stdin.buffer.read())
    except RewardloopError as error:
        sys.stdout.buffer.write(msgspec.json.encode(Refusal(str(error), error.code, error.status)))
        return REFUSED
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
