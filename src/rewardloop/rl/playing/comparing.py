"""Trained policies beside what needs no training, on the same episodes of an environment that none was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.guarding import make_guarded
from rewardloop.rl.logged.replay import check_simulated
from rewardloop.rl.playing.constants import tuned_constant
from rewardloop.rl.playing.controllers import RandomActor, baselines_of, constant
from rewardloop.rl.playing.episodes import play
from rewardloop.rl.playing.evaluating import Evaluated, actor_for, over, seeds_of, summarised
from rewardloop.rl.runs.run import RunDirectory
from rewardloop.rl.runs.training import EVALUATION_SEEDS
from rewardloop.rl.spaces import facts_of
from rewardloop.rl.toolkit import STEP_TIMEOUT_S, Actor

MIN_SEEDS = 5
CHANCE = "random"
"""The row of actions drawn at random."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order: chance, the environment's own, the constant, rules, what was trained."""

    env: EnvSpec
    trained_on: EnvSpec
    n_episodes: int
    constant: Any
    """The tuned constant action; None where none was looked for."""
    rows: tuple[Evaluated, ...]

    @property
    def best(self) -> Evaluated:
        """The row with the highest interquartile mean."""
        return max(self.rows, key=lambda row: row.score.value)


def compare(
    env: EnvSpec,
    runs: Sequence[RunDirectory],
    *,
    overrides: dict[str, Any],
    n_episodes: int,
    checkpoint: str = "best",
    rules: Mapping[str, Actor],
    n_constants: int,
    tuned: Any = None,
    say: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Everything on the same `n_episodes` seeds. `overrides` make the environment the one to be tested on (other weather).

    The constant is tuned on the environment trained on, over other seeds, `n_constants` of them; 0: none, but the one that is
    handed over as `tuned`. Runs that differ in nothing but their seed are one row. Raises `InvalidInput` for fewer than 5 seeds,
    and before anything is played `Conflict` for a run of another environment, `UnknownRun` for a checkpoint that is not there.
    """
    _check_counts(n_episodes, n_constants, runs)
    test, chosen = over(env, overrides), tuned
    check_simulated(test)
    timeout_s = _patience(runs)
    stage = _Stage(test, seeds_of(n_episodes), say, timeout_s)
    try:
        trained = {name: stage.actors(group, checkpoint) for name, group in grouped(runs).items()}
        if n_constants:
            say("tuned constant")
            chosen, _ = tuned_constant(
                env, range(EVALUATION_SEEDS, EVALUATION_SEEDS + MIN_SEEDS), n_trials=n_constants, timeout_s=timeout_s
            )
        rows = [stage.row(name, [actor]) for name, actor in stage.baselines().items()]
        rows += [stage.row("tuned constant", [constant(chosen)])] if chosen is not None else []
        rows += [stage.row(name, [actor]) for name, actor in rules.items()]
        rows += [stage.row(name, actors) for name, actors in trained.items()]
    finally:
        stage.env.close()
    return Comparison(env=test, trained_on=env, n_episodes=n_episodes, constant=_plain(chosen), rows=tuple(rows))


def _check_counts(n_episodes: int, n_constants: int, runs: Sequence[RunDirectory]) -> None:
    if n_episodes < MIN_SEEDS:
        raise InvalidInput(f"Expected at least {MIN_SEEDS} episodes to compare on, got {n_episodes}", at="--episodes")
    if n_constants < 0:
        raise InvalidInput(f"Expected a number of constants to try, or 0 for none, got {n_constants}", at="--constants")
    names = [run.root.name for run in runs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"Expected each run once, got `{twice}` again: it would count as another training", at="RUNS")


def _patience(runs: Sequence[RunDirectory]) -> float:
    """Seconds that an answer of the environment may take: as long as the most patient training allowed, 0 for ever."""
    allowed = [run.read().plan.step_timeout_s for run in runs]
    return 0.0 if 0 in allowed else max(allowed, default=STEP_TIMEOUT_S)


class _Stage:
    """One environment that all play in, one after another: what its first reset costs is paid once."""

    def __init__(self, spec: EnvSpec, seeds: Sequence[int], say: Callable[[str], None], timeout_s: float) -> None:
        self.env = make_guarded(spec, timeout_s)
        self._spec, self._seeds, self._say = spec, seeds, say

    def baselines(self) -> dict[str, Actor]:
        return {CHANCE: RandomActor(self.env.action_space), **baselines_of(self.env)}

    def actors(self, runs: Sequence[RunDirectory], checkpoint: str) -> list[Actor]:
        facts = facts_of(self.env)
        return [actor_for(run, checkpoint, facts) for run in runs]

    def row(self, name: str, actors: Sequence[Actor]) -> Evaluated:
        self._say(name)
        return summarised(name, self._spec, [[play(self.env, actor, seed) for seed in self._seeds] for actor in actors])


def grouped(runs: Iterable[RunDirectory]) -> dict[str, list[RunDirectory]]:
    """Runs whose plans differ in nothing but the seed stand together, under the first one's name and their number."""
    groups: dict[bytes, list[RunDirectory]] = {}
    for run in runs:
        plan = msgspec.structs.replace(run.read().plan, seed=0)
        groups.setdefault(msgspec.json.encode(plan, order="deterministic"), []).append(run)
    return {f"{group[0].root.name}{f' and {len(group) - 1} more' if group[1:] else ''}": group for group in groups.values()}


def _plain(action: Any) -> Any:
    return action.tolist() if hasattr(action, "tolist") else action
