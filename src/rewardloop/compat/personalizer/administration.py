"""The calls that look at and change an experiment's settings: service configuration and policy."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from rewardloop.compat.personalizer.configuration import ServiceConfiguration, configuration, configured
from rewardloop.compat.personalizer.kept import Kept, read_kept, write_kept
from rewardloop.compat.personalizer.policies import parse_policy, render_policy
from rewardloop.compat.personalizer.target import Asked
from rewardloop.errors import InvalidInput, InvalidSettings, RewardloopError
from rewardloop.registry.layout import ExperimentDirectory
from rewardloop.serving.reading import decode
from rewardloop.serving.replies import Reply, encode
from rewardloop.settings import ExperimentSettings, PolicySettings, checked


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=256)]
    arguments: Annotated[str, Meta(max_length=4_096)]


_configuration = msgspec.json.Decoder(ServiceConfiguration)
_policy = msgspec.json.Decoder(Policy)


async def get_configuration(asked: Asked) -> Reply:
    return Reply(encode(configuration(asked.served.settings, await _kept(asked))))


async def put_configuration(asked: Asked) -> Reply:
    wanted = decode(_configuration, asked.call.body)
    settings = configured(asked.served.settings, wanted)
    kept = replace(
        await _kept(asked),
        edited_at=asked.call.service.now(),
        auto_optimization_frequency=wanted.auto_optimization_frequency,
        auto_optimization_start_date=wanted.auto_optimization_start_date,
    )
    await _change(asked, settings, kept)
    return Reply(encode(configuration(settings, kept)))


async def get_policy(asked: Asked) -> Reply:
    return Reply(encode(policy_of(asked.served.settings, await _kept(asked))))


async def put_policy(asked: Asked) -> Reply:
    wanted = decode(_policy, asked.call.body)
    await change_policy(asked, wanted)
    return Reply(encode(wanted))


async def delete_policy(asked: Asked) -> Reply:
    settings = with_policy(asked.served.settings, PolicySettings(floor=asked.served.settings.policy.floor))
    kept = replace(await _kept(asked), policy_name="", policy_arguments="")
    await _change(asked, settings, kept)
    return Reply(encode(policy_of(settings, kept)))


async def change_policy(asked: Asked, wanted: Policy) -> None:
    """Sets it, from the next trained model on. Raises `Unsupported`."""
    settings = asked.served.settings
    settings = with_policy(settings, parse_policy(wanted.arguments, settings.policy.floor))
    await _change(asked, settings, replace(await _kept(asked), policy_name=wanted.name, policy_arguments=wanted.arguments))


def policy_of(settings: ExperimentSettings, kept: Kept) -> Policy:
    """The text that was sent, while it says what the settings say."""
    if kept.policy_arguments and _says(kept.policy_arguments, settings):
        return Policy(kept.policy_name, kept.policy_arguments)
    return Policy(settings.exploration, render_policy(settings))


def with_policy(settings: ExperimentSettings, policy: PolicySettings) -> ExperimentSettings:
    """Raises `InvalidInput` for a policy that the experiment cannot have."""
    try:
        return checked(replace(settings, policy=policy))
    except InvalidSettings as error:
        raise InvalidInput(str(error)) from None


def _says(arguments: str, settings: ExperimentSettings) -> bool:
    try:
        return parse_policy(arguments, settings.policy.floor) == settings.policy
    except RewardloopError:
        return False


def directory_of(asked: Asked) -> ExperimentDirectory:
    return asked.call.service.directory.experiment(asked.served.settings.experiment)


async def _kept(asked: Asked) -> Kept:
    return await asyncio.to_thread(read_kept, directory_of(asked).personalizer)


async def _change(asked: Asked, settings: ExperimentSettings, kept: Kept) -> None:
    """The settings first: what is kept beside them counts only while they agree."""
    await asked.call.service.change(settings)
    await asyncio.to_thread(write_kept, directory_of(asked).personalizer, kept)
