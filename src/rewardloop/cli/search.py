"""`rewardloop search`: better settings, found by trying them on an experiment's own log or on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zlib import crc32

import msgspec
import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number

from rewardloop.cli.asking.meant import settings_of
from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.changed import changes
from rewardloop.cli.telling.counting import counted
from rewardloop.cli.telling.printing import console, print_facts, print_json
from rewardloop.durable import replace_file
from rewardloop.errors import InvalidInput
from rewardloop.interactions import Interactions
from rewardloop.settings import ContinuousActions, ExperimentSettings, example_yaml, settings_to_json
from rewardloop.testbed.objective import Judge, LogJudge, WorldJudge
from rewardloop.testbed.searching import Found
from rewardloop.testbed.searching import search as searched
from rewardloop.worlds.cascade import RankedWorld
from rewardloop.worlds.catalogue import find_world
from rewardloop.worlds.stream import World

MAX_EVENTS = 1_000_000


def search(
    experiment: ExperimentName,
    /,
    *,
    world: Annotated[
        str | None,
        Parameter(help="Search on a data set or simulator of `testbed`, or a labelled file; by default on the experiment's log."),
    ] = None,
    label: Annotated[str | None, Parameter(help="The label column of a file; by default the last.")] = None,
    trials: Annotated[int, Parameter(validator=Number(gte=1, lte=100_000), help="In all, those of earlier runs included.")] = 50,
    events: Annotated[
        int, Parameter(validator=Number(gte=100, lte=MAX_EVENTS), help="Newest events of the log, or rounds of the world.")
    ] = 4_000,
    seeds: Annotated[int, Parameter(validator=Number(gte=2, lte=1_000), help="Runs a trial on a world.")] = 2,
    seed: Annotated[int, Parameter(validator=Number(gte=0, lt=2**31), help="Of what is tried.")] = 0,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The winner's settings; replaced.")] = Path("found.yaml"),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    if label and not world:
        raise InvalidInput("Expected the file it is a column of, in --world", at="--label")
    settings = settings_of(experiment, data)
    judge = _on_world(settings, find_world(world, label), events, seeds) if world else _on_log(experiment, data, events)
    digest = crc32(settings_to_json(settings))
    study = f"{settings.experiment} {digest:08x}, {world or 'log'}, {events}"
    with counted("search", trials) as count:
        found = searched(
            settings,
            judge,
            data / "search" / f"{settings.experiment}.db",
            study=study,
            n_trials=trials,
            seed=seed,
            on_trial=count.reached,
        )
    replace_file(out, example_yaml(found.settings).encode())
    if json:
        print_json(found)
    else:
        _print(found, settings, out, experiment if Path(experiment).is_file() else "YOURS.yaml")


def _on_world(settings: ExperimentSettings, world: World | RankedWorld, events: int, seeds: int) -> Judge:
    if isinstance(settings.actions, ContinuousActions):
        raise InvalidInput(f"`{world.name}` has arms and the experiment sets a number: search on its log", at="--world")
    if isinstance(world, RankedWorld) and settings.actions is not None:
        raise InvalidInput(f"`{world.name}` ranks what requests bring: expected an experiment without `actions`", at="--world")
    return WorldJudge(world, events, seeds)


def _on_log(experiment: str, data: Path, events: int) -> LogJudge:
    with open_experiment(experiment, data) as opened:
        newest = next(iter(opened.newest_data().interactions(newest=events, batch=events)), Interactions.empty())
        usable = np.isfinite(newest.probability) & (newest.probability > 0)
        return LogJudge(opened.settings, newest.take(usable))


def _print(found: Found, settings: ExperimentSettings, out: Path, file: str) -> None:
    judged, policy = found.judgement, found.settings.policy
    print_facts(
        [
            ("trials", f"{found.n_trials:,}"),
            ("winner", f"{policy.exploration or 'the settings of now'}, {found.value:.4g} on the head"),
            ("now", f"{found.current_value:.4g} on the head"),
            ("on the tail", f"{judged.winner.value:.4g}; now: {judged.current.value:.4g}"),
            ("difference", str(judged.difference)),
            *((key, f"{_shown(before)} → {_shown(now)}") for key, before, now in changes(settings, found.settings)),
        ]
    )
    console.print(f"Wrote {out}. See what changed:  [bold]git diff --no-index {file} {out}[/]", soft_wrap=True)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else msgspec.json.encode(value).decode().strip('"')
