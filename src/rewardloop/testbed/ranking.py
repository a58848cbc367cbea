"""A policy plays a catalogue: ranks, waits for clicks, learns from what was looked at. Floor and sampling are the platform's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.ids import slot_event_id
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.learning import examined
from rewardloop.policies import Policy, new_policy
from rewardloop.policies.exploration import sample, serve_pmf
from rewardloop.settings import ExperimentSettings, PolicySettings, RankingSettings, RewardSettings
from rewardloop.testbed.arms import CpuSeconds, Replaying, curve, replay_sample
from rewardloop.testbed.cell import Cell, Row, Spent
from rewardloop.testbed.delays import Underway, drawn_delays
from rewardloop.worlds.cascade import Cascade, RankedWorld


class _Slot(NamedTuple):
    """One position, as it was decided."""

    offered: ActionSet
    action: int
    pmf: list[float]


class _Page(NamedTuple):
    """One round."""

    user: int
    slots: list[_Slot]
    clicks: list[float]


class _Chance(NamedTuple):
    """What is drawn."""

    dice: np.random.Generator
    """By the platform."""
    luck: np.random.Generator
    """By those who look."""


def settings_for_rankings(policy: PolicySettings) -> ExperimentSettings:
    """An experiment whose requests bring films, and which learns from what was looked at; everything else at its default."""
    reward = RewardSettings(range=(0.0, 1.0), closes="window")
    return ExperimentSettings(experiment="testbed", policy=policy, reward=reward, ranking=RankingSettings(feedback="cascade"))


def play_rankings(cell: Cell, world: RankedWorld, cpu: CpuSeconds) -> Row:
    """One run; the reward of a round is P(anything is clicked)."""
    knobs, catalogue = cell.knobs, world.catalogue()
    traffic, dice, waits, luck = (np.random.default_rng([cell.seed, part]) for part in range(4))
    users = traffic.integers(len(catalogue.users), size=knobs.rounds)
    delays = drawn_delays(knobs, world.mean_delay, waits)
    player = _Player(settings_for_rankings(cell.contender.policy), catalogue, world.top_k, cell.seed, cpu)
    earned, spent = player.play(users, delays, knobs.batch, _Chance(dice, luck))
    best, best_fixed = (float(rates[users].mean()) for rates in _best(catalogue, world.top_k))
    return Row.of(cell, float(earned.mean()), curve(earned), spent, n_used=knobs.rounds, best=best, best_fixed=best_fixed)


def _best(catalogue: Cascade, top_k: int) -> tuple[Floats, Floats]:
    """(users,) P(click) of each user's best ranking, and of the one that is best for all."""
    users, for_all = range(len(catalogue.users)), catalogue.best_for_all(top_k)
    own = np.array([catalogue.click_rate(user, catalogue.best(user, top_k)) for user in users])
    return own, np.array([catalogue.click_rate(user, for_all) for user in users])


class _Player:
    """A fresh policy, and the pages it has made."""

    def __init__(self, settings: ExperimentSettings, catalogue: Cascade, top_k: int, seed: int, cpu: CpuSeconds) -> None:
        self._settings, self._catalogue, self._top_k, self._seed, self._cpu = settings, catalogue, top_k, seed, cpu
        self._policy: Policy = new_policy(settings, seed)
        self._films = parse_actions(msgspec.json.encode([{"id": film, "features": of} for film, of in catalogue.films]))
        self._pages: list[_Page] = []

    def play(self, users: Ints, delays: Ints, batch: int, chance: _Chance) -> tuple[Floats, Spent]:
        """(n,) P(click) of each round as it was decided. Clicks still under way at the end are never learned."""
        n, underway, known, deciding, learning = len(users), Underway(delays), list[int](), 0.0, 0.0
        for start in range(0, n, batch):
            rows = range(start, min(start + batch, n))
            began = self._cpu()
            shown = [self._rank(int(users[row]), chance.dice) for row in rows]
            deciding += self._cpu() - began
            for row, slots in zip(rows, shown, strict=True):
                user = int(users[row])
                self._pages.append(_Page(user, slots, self._catalogue.clicks(user, self._ids(slots), chance.luck)))
            underway.begin(rows)
            arrived = underway.arrived(rows[-1])
            known += arrived if batch > 1 else ()
            began = self._cpu()
            self._learn(arrived, known)
            learning += self._cpu() - began
        earned = [self._catalogue.click_rate(page.user, self._ids(page.slots)) for page in self._pages]
        return np.array(earned), Spent(deciding, learning, n)

    def _rank(self, user: int, dice: np.random.Generator) -> list[_Slot]:
        """From the first position to the last; once: one distribution, the rest of it renormalised."""
        context, floor = self._catalogue.users[user], self._settings.policy.floor
        left, slots, once = list(range(len(self._films))), list[_Slot](), None
        for _ in range(self._top_k):
            offered = self._films.only(left)
            if once is None:
                pmf = serve_pmf(self._policy.pmf(context, offered), floor=floor)
            else:
                pmf = serve_pmf([once[film] for film in left], floor=0.0)
            once = pmf if self._settings.draws == "once" and not slots else once
            slots.append(_Slot(offered, sample(pmf, float(dice.random())), pmf))
            left.pop(slots[-1].action)
        return slots

    def _ids(self, slots: Sequence[_Slot]) -> list[int]:
        """The films' places in the catalogue."""
        return [int(slot.offered.ids[slot.action].removeprefix("f")) for slot in slots]

    def _learn(self, arrived: Sequence[int], known: Sequence[int]) -> None:
        """Batches are replayed as the loop replays them."""
        if arrived:
            self._policy.learn(self._logged(arrived))
        if arrived and known and isinstance(self._policy, Replaying):
            for rows in replay_sample(self._settings.policy.learner, known, self._seed):
                self._policy.relearn(self._logged(rows))

    def _logged(self, rows: Sequence[int]) -> Interactions:
        """What was looked at of these rounds."""
        parts = [(row, i, slot) for row in rows for i, slot in enumerate(self._pages[row].slots)]
        sizes = [len(slot.pmf) for _, _, slot in parts]
        every = Interactions(
            [slot_event_id(str(row), str(i + 1), i) for row, i, _ in parts],
            [self._catalogue.users[self._pages[row].user] for row, _, _ in parts],
            [slot.offered for _, _, slot in parts],
            np.array([slot.action for _, _, slot in parts]),
            np.array([slot.pmf[slot.action] for _, _, slot in parts]),
            np.array([self._pages[row].clicks[i] for row, i, _ in parts]),
            np.concatenate([slot.pmf for _, _, slot in parts]),
            np.concatenate([[0], np.cumsum(sizes)]),
            np.zeros(len(parts)),
            np.array([row for row, _, _ in parts]),
        )
        return examined(every, self._settings)
