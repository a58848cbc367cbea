"""From a building to a served policy: the best constant, trainings, the comparison on other weather, pictures, the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from rewardloop.charts import to_html, to_png
from rewardloop.clock import Clock
from rewardloop.demo.hvac.days import Day, day_chart, recorded
from rewardloop.demo.hvac.serving import deployed, served
from rewardloop.demo.hvac.stages import Effort, Stage
from rewardloop.demo.hvac.telling import first_day, progress, set_points, summary
from rewardloop.demo.hvac.trainings import trained
from rewardloop.demo.playbook import fresh
from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import Env, make_env
from rewardloop.rl.playing.charts import comparison_page, comparison_picture
from rewardloop.rl.playing.comparing import Comparison, compare
from rewardloop.rl.playing.constants import tuned_constant
from rewardloop.rl.playing.controllers import constant
from rewardloop.rl.playing.episodes import Episode
from rewardloop.rl.playing.evaluating import FIRST_SEED, actor_of, over
from rewardloop.rl.runs.run import RunDirectory
from rewardloop.rl.runs.training import EVALUATION_SEEDS
from rewardloop.rl.toolkit import Actor
from rewardloop.simulators.energyplus import EnergyPlusEnv

N_TUNED = 10
"""Episodes that a constant is tuned on."""


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of it."""

    comparison: Comparison
    winner: RunDirectory
    direct: Episode
    """The winner's first episode of the comparison, played in this process."""
    served: Episode
    """The same, over HTTP."""
    event_id: str
    """The server's last decision."""


def perform(stage: Stage, effort: Effort, out: Path, *, console: Console, clock: Clock) -> Performed:
    """Everything is left in `out`: runs, model, log of decisions, pictures. Raises `ChildFailed`; leaves no process behind."""
    fresh(out)
    console.print(f"The best of {stage.n_constants} constant actions, on the weather to train on …")
    best, worth = tuned_constant(
        stage.env, range(EVALUATION_SEEDS, EVALUATION_SEEDS + N_TUNED), n_trials=stage.n_constants, seed=effort.seeds[0]
    )
    best_action = tuple(round(float(value), 4) for value in best)
    console.print(f"  {set_points(_meant(stage, best))}: return {worth:.1f}")
    with progress(console, "PPO", len(effort.seeds), stage.n_steps, clock) as watch:
        runs = trained(stage, stage.begins_at or best_action, effort, out, watch)
    console.print("Everybody on the same days, with weather that nothing was trained or tuned on …")
    parameters = stage.test_parameters()
    found = compare(stage.env, runs, overrides=parameters, n_episodes=effort.n_episodes, rules={}, n_constants=0, tuned=best)
    winner = max(runs, key=_evaluated)
    env = make_env(over(stage.env, parameters))
    try:
        direct = _pictures(
            env, stage, found, {"tuned constant": constant(best), "policy": actor_of(winner, "best", found.env)}, out
        )
        deployed(winner, out / "data")
        again, event_id = served(env, FIRST_SEED, out / "data", out / "serve.log")
    finally:
        env.close()
    console.print()
    console.print(summary(found))
    return Performed(found, winner, direct, again, event_id)


def _meant(stage: Stage, action: NDArray[np.floating]) -> dict[str, float]:
    """In the building's units: a share of a range says nothing to whoever runs it."""
    env = make_env(stage.env)
    try:
        return _building(env, stage).values_of(action.astype(np.float32))
    finally:
        env.close()


def _building(env: Env, stage: Stage) -> EnergyPlusEnv:
    if not isinstance(env.unwrapped, EnergyPlusEnv):
        raise InvalidInput(f"Expected a building, got {stage.env.id}")
    return env.unwrapped


def _evaluated(run: RunDirectory) -> float:
    """On the weather trained on: choosing by the comparison would be choosing by the test."""
    best = run.read().best
    return best.mean_return if best is not None else float("-inf")


def _pictures(env: Env, stage: Stage, found: Comparison, actors: dict[str, Actor], out: Path) -> Episode:
    """The comparison and one of its episodes; returns the policy's."""
    building = _building(env, stage)
    days: dict[str, Day] = {}
    episode: Episode | None = None
    _, drawn = env.reset(seed=FIRST_SEED)
    for name, actor in {"schedule": constant(None), **actors}.items():
        days[name], episode = recorded(env, building.specification, actor, FIRST_SEED)
    place = f"An episode from {first_day(drawn['day'])} on with weather that it was not trained on, {drawn['weather']}"
    chart = day_chart(building.specification, days, "policy", place)
    (out / "episode.png").write_bytes(to_png(chart))
    (out / "episode.html").write_text(to_html(chart, chart.title), encoding="utf-8")
    (out / "comparison.png").write_bytes(to_png(comparison_picture(found)))
    (out / "comparison.html").write_text(comparison_page(found), encoding="utf-8")
    assert episode is not None
    return episode
