"""Every policy's speed: microseconds of CPU to decide and to learn, one event at a time, beside Vowpal Wabbit's public API.

    python -m benchmarks.policies [--events 1500]

Fixed arms: 10 arms, 10 numbers. Actions with features: 10 actions × 10 numbers, 20 numbers shared, another set with each event. The
peer is a workspace with the policy's own arguments that parses JSON, predicts or learns, and finishes, on the same events; for a
policy that is not Vowpal Wabbit's, one with those of `regcbopt`. Floor, draw and log are in neither. Prints a JSON document.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import get_args

import msgspec
import numpy as np
from cyclopts import App
from vowpalwabbit.pyvw import Workspace

from benchmarks.offers import features, offered
from rewardloop.actions import ActionSet, fixed_actions, parse_actions
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.policies import Policy, new_policy
from rewardloop.policies.vw.arguments import learner_arguments
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.settings.checks import problems
from rewardloop.settings.schema import Exploration

N_ARMS = 10
PEER: Exploration = "regcbopt"

app = App()


class Event(msgspec.Struct):
    context: Features
    actions: ActionSet
    chosen: int
    reward: float


def events(rng: np.random.Generator, n: int, fixed: bool) -> list[Event]:
    arms = fixed_actions([str(arm) for arm in range(1, N_ARMS + 1)])
    sets = (arms if fixed else parse_actions(offered(rng)) for _ in range(n))
    width = 10 if fixed else 20
    return [Event(features(rng, width), actions, int(rng.integers(N_ARMS)), float(rng.integers(2))) for actions in sets]


def settings_of(exploration: Exploration, fixed: bool) -> ExperimentSettings:
    policy, reward = PolicySettings(exploration=exploration), RewardSettings(range=(0.0, 1.0))
    return ExperimentSettings(experiment="speed", actions=N_ARMS if fixed else None, policy=policy, reward=reward)


def one(event: Event) -> Interactions:
    tenth, at = np.array([1 / N_ARMS]), np.array([0])
    every = np.full(N_ARMS, 1 / N_ARMS)
    reward = np.array([event.reward])
    return Interactions(
        ["e"], [event.context], [event.actions], np.array([event.chosen]), tenth, reward, every, np.array([0, N_ARMS]), tenth, at
    )


def spent(step: Callable[[Event], object], over: list[Event]) -> float:
    began = time.process_time()
    for event in over:
        step(event)
    return 1e6 * (time.process_time() - began) / len(over)


def ours(policy: Policy, learned: list[Event], asked: list[Event]) -> dict[str, float]:
    rows = iter([one(event) for event in learned])
    learning = spent(lambda _: policy.learn(next(rows)), learned)
    policy.pmf(asked[0].context, asked[0].actions)
    return {"decide_us": spent(lambda event: policy.pmf(event.context, event.actions), asked), "learn_us": learning}


def theirs(arguments: list[str], learned: list[Event], asked: list[Event]) -> dict[str, float]:
    """By `parse`, `learn` or `predict`, `finish_example`; making the text is not counted."""
    workspace = Workspace(arg_list=arguments)

    def learn(text: str) -> None:
        examples = workspace.parse(text)
        workspace.learn(examples)
        workspace.finish_example(examples)

    def predict(text: str) -> None:
        examples = workspace.parse(text)
        workspace.predict(examples)
        workspace.finish_example(examples)

    learning = _over(learn, [_text(event, _label(event)) for event in learned])
    return {"decide_us": _over(predict, [_text(event, "") for event in asked]), "learn_us": learning}


def _over(step: Callable[[str], None], lines: list[str]) -> float:
    left = iter(lines)
    return spent(lambda _: step(next(left)), [Event({}, fixed_actions(["1"]), 0, 0.0)] * len(lines))


def _text(event: Event, label: str) -> str:
    own = event.actions.features or [{}] * len(event.actions)
    actions = [{"a": {f"id={action}": 1, **features}} for action, features in zip(event.actions.ids, own, strict=True)]
    return f'{{{label}"s":{json.dumps(event.context)},"_multi":{json.dumps(actions)}}}'


def _label(event: Event) -> str:
    chosen = f'"_label_Action":{event.chosen + 1},"_labelIndex":{event.chosen},'
    return f'"_label_cost":{1 - event.reward},"_label_probability":{1 / N_ARMS},{chosen}'


def measured(fixed: bool, n: int) -> Iterator[tuple[str, dict[str, float]]]:
    learned, asked = (events(np.random.default_rng(seed), n, fixed) for seed in (1, 2))
    for exploration in get_args(Exploration):
        settings = settings_of(exploration, fixed)
        if exploration == "uniform" or next(problems(settings), None) is not None:
            continue
        policy = new_policy(settings, 0)
        found = ours(policy, learned, asked)
        like = settings if isinstance(policy, VowpalWabbitPolicy) else settings_of(PEER, fixed)
        peer = theirs(learner_arguments(like, _crossed(like, learned[0])), learned, asked)
        yield exploration, {**found, **{f"vw_{name}": value for name, value in peer.items()}}


def _crossed(settings: ExperimentSettings, first: Event) -> int:
    """How many features of a context the policy crosses with each other."""
    policy = VowpalWabbitPolicy.new(settings, 0)
    policy.learn(one(first))
    return policy.statistics().crossed or 0


@app.default
def main(events: int = 1_500) -> None:
    shapes = {"fixed": True, "features": False}
    print(json.dumps({shape: dict(measured(fixed, events)) for shape, fixed in shapes.items()}, indent=1))


if __name__ == "__main__":
    app()
