"""Films of a cascade-click catalogue, five of a hundred shown: regret and attractiveness of what rankings learn, beside 2019's.

    python -m benchmarks.ranking [--seeds 3] [--interactions 2000] [--exploration regcbopt]

Ours is the default of rankings that learn by the cascade, with a floor of .01.

The configuration of 2019 is regcbopt with mellowness 0.01 whose cost is −reward without the range being told, which shows the five
likeliest while logging their probabilities, and learns a one-action example a position, those below the click too. Both learn
after every event. Prints a JSON document; regret is that of P(any click) against the best five.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np
from cyclopts import App
from vowpalwabbit import Workspace

from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted
from rewardloop.events import Reward
from rewardloop.ids import EventIds
from rewardloop.learning import examined
from rewardloop.loop.closing import Closing
from rewardloop.loop.online import closed_interactions
from rewardloop.policies import new_policy
from rewardloop.settings import Duration, ExperimentSettings, PolicySettings, RankingSettings, RewardSettings
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.cascade import Cascade

TOP = 5
FLOOR = 0.01
Show = Callable[[int], Sequence[int]]
Learn = Callable[[int, Sequence[int], Sequence[float]], None]

app = App()


class Ours:
    """Rankings as the platform serves and learns them."""

    def __init__(self, world: Cascade, policy: PolicySettings, seed: int) -> None:
        self._settings = ExperimentSettings(
            experiment="films",
            policy=policy,
            reward=RewardSettings(window=Duration(1), closes="window", range=(0.0, 1.0)),
            ranking=RankingSettings(feedback="cascade"),
        )
        self._clock = ManualClock()
        self._decider = Decider(self._settings, 0, EventIds(self._clock, key=seed, start=seed), self._clock)
        self._policy = new_policy(self._settings, seed)
        self._closing = Closing(self._settings.reward)
        self._films = msgspec.Raw(msgspec.json.encode([{"id": film, "features": of} for film, of in world.films]))
        self._users = [msgspec.Raw(msgspec.json.encode(user)) for user in world.users]

    def show(self, user: int) -> list[int]:
        hosted = Hosted("films.1", self._policy, self._settings.policy.floor, draws=self._settings.draws)
        request = DecideRequest(context=self._users[user], actions=self._films, top_k=TOP)
        self._decision, _ = self._decider.decide(hosted, request)
        return [choice.action for choice in self._decision.slots]

    def learn(self, user: int, shown: Sequence[int], clicks: Sequence[float]) -> None:
        event, now = self._decision.event_id, self._clock.now()
        told = [Reward(event, "films", click, now, slot=str(i + 1)) for i, click in enumerate(clicks)]
        closed = [*self._closing.take([self._decision, *told])]
        self._clock.advance(10)
        closed += self._closing.expire(self._clock.now())
        self._policy.learn(examined(closed_interactions(closed), self._settings))


class Of2019:
    """The configuration of 2019, its mistakes included."""

    def __init__(self, world: Cascade, seed: int) -> None:
        self._vw = Workspace(
            f"--cb_explore_adf --regcb --regcbopt --mellowness 0.01 --cb_type mtr -q ui --quiet --random_seed {seed}"
        )
        self._films = [f"|i id={film} " + " ".join(f"{k}:{v}" for k, v in of.items()) for film, of in world.films]
        self._users = ["shared |u " + " ".join(f"{k}={v}" for k, v in user.items()) for user in world.users]

    def show(self, user: int) -> list[int]:
        self._pmf = self._vw.predict([self._users[user], *self._films])
        return [int(film) for film in np.argsort(-np.array(self._pmf), kind="stable")[:TOP]]

    def learn(self, user: int, shown: Sequence[int], clicks: Sequence[float]) -> None:
        for film, click in zip(shown, clicks, strict=True):
            self._vw.learn([self._users[user], f"0:{-click}:{max(self._pmf[film], 1e-3)} {self._films[film]}"])


def at_random(rng: np.random.Generator, n_films: int, user: int) -> list[int]:
    """Any five, whoever asks."""
    return [int(film) for film in rng.permutation(n_films)[:TOP]]


def play(world: Cascade, show: Show, learn: Learn, n: int, seed: int) -> dict[str, float]:
    """Cumulative regret of P(any click), and the mean attractiveness of what was shown."""
    rng = np.random.default_rng(seed)
    regret, shown_attraction, started = 0.0, 0.0, time.process_time()
    for _ in range(n):
        user = int(rng.integers(len(world.users)))
        shown = show(user)
        regret += world.click_rate(user, world.best(user, TOP)) - world.click_rate(user, shown)
        shown_attraction += float(world.attractiveness[user, list(shown)].mean())
        learn(user, shown, world.clicks(user, shown, rng))
    return {"regret": regret, "attractiveness": shown_attraction / n, "cpu_s": time.process_time() - started}


@app.default
def main(seeds: int = 3, interactions: int = 2_000, exploration: Exploration | None = None) -> None:
    """Play both, and rankings at random, in each of the worlds."""
    chosen = PolicySettings(exploration=exploration, floor=FLOOR)
    results: dict[str, list[dict[str, float]]] = {name: [] for name in ("ours", "of_2019", "random")}
    for seed in range(1, seeds + 1):
        world, rng = Cascade.new(seed), np.random.default_rng(seed)
        ours, old = Ours(world, chosen, seed), Of2019(world, seed)
        results["ours"].append(play(world, ours.show, ours.learn, interactions, seed))
        results["of_2019"].append(play(world, old.show, old.learn, interactions, seed))
        results["random"].append(play(world, partial(at_random, rng, len(world.films)), lambda *_: None, interactions, seed))
    means = {name: {key: float(np.mean([run[key] for run in runs])) for key in runs[0]} for name, runs in results.items()}
    regrets = [ours["regret"] / old["regret"] for ours, old in zip(results["ours"], results["of_2019"], strict=True)]
    shares = {"regret_share": means["ours"]["regret"] / means["of_2019"]["regret"], "regret_shares": regrets}
    print(json.dumps({**shares, **means, "seeds": seeds, "interactions": interactions}))


if __name__ == "__main__":
    app()
