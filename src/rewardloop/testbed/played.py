"""A cell in its world, whatever is chosen there: an arm, or a ranking. Replays of logs are next door, in `replaying`."""

from __future__ import annotations

from collections.abc import Sequence

from rewardloop.errors import InvalidInput
from rewardloop.settings import ExperimentSettings
from rewardloop.settings.checks import problems
from rewardloop.testbed.arms import CpuSeconds, play, settings_for
from rewardloop.testbed.cell import Cell, Contender, Row
from rewardloop.testbed.ranking import play_rankings, settings_for_rankings
from rewardloop.worlds.cascade import RankedWorld
from rewardloop.worlds.logged import LoggedWorld
from rewardloop.worlds.stream import World


def played(cell: Cell, world: World | RankedWorld, cpu: CpuSeconds) -> Row:
    """One run."""
    return play_rankings(cell, world, cpu) if isinstance(world, RankedWorld) else play(cell, world, cpu)


def check_policies(contenders: Sequence[Contender], world: World | RankedWorld | LoggedWorld) -> None:
    """Raises `InvalidInput` for a policy that cannot choose among what the world offers."""
    if isinstance(world, LoggedWorld):
        return
    for each in contenders:
        wrong = next(problems(_settings(each, world)), None)
        if wrong is not None:
            raise InvalidInput(f"Policy `{each.name}` is not for `{world.name}`: {wrong.sentence}", at="--policy")


def _settings(each: Contender, world: World | RankedWorld) -> ExperimentSettings:
    if isinstance(world, RankedWorld):
        return settings_for_rankings(each.policy)
    return settings_for(each.policy, world.arms)
