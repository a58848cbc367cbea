"""What no single type can say: which settings do not go together. One sentence each, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from rewardloop.cells import Cells
from rewardloop.errors import did_you_mean
from rewardloop.settings.schema import MAX_NAMESPACES, ContinuousActions, ExperimentSettings

NATIVE = ("lints", "linucb")
MTR_ONLY = ("regcb", "regcbopt", "squarecb")


class Problem(NamedTuple):
    path: str
    sentence: str


def problems(settings: ExperimentSettings) -> Iterator[Problem]:
    """Every contradiction; empty for good settings."""
    yield from _policy(settings)
    yield from _shortlist(settings)
    yield from _cats(settings)
    yield from _actions(settings)
    yield from _continuous(settings)
    yield from _exposure(settings)
    yield from _reward(settings)
    yield from _training(settings)
    yield from _gate(settings)
    yield from _ranking(settings)
    yield from _baseline(settings)
    yield from _rollout(settings)


def _policy(settings: ExperimentSettings) -> Iterator[Problem]:
    policy, exploration = settings.policy, settings.exploration
    if exploration == "neural" and settings.actions is None:
        yield Problem(
            "$.policy.exploration",
            "`neural` needs fixed actions: set `actions`, or choose `lints` for actions that each request brings",
        )
    if exploration in NATIVE and settings.actions is None and isinstance(policy.learner.interactions, tuple):
        yield Problem(
            "$.policy.learner.interactions",
            f"`{exploration}` finds the products itself where requests bring actions: leave it out, or choose `regcbopt`",
        )
    if exploration in MTR_ONLY and policy.learner.cb_type != "mtr":
        yield Problem(
            "$.policy.learner.cb_type",
            f"`{exploration}` works with cb_type `mtr` only, got `{policy.learner.cb_type}`: leave it out",
        )
    if exploration not in NATIVE and isinstance(policy.learner.forgetting, int):
        yield Problem(
            "$.policy.learner.forgetting",
            f"A half-life is for `lints` and `linucb`, got `{exploration}`: "
            + ("leave it out" if exploration == "neural" else "Vowpal Wabbit forgets with `arguments: --power_t 0`"),
        )
    named = policy.learner.interactions
    names = {name for term in named for name in term if isinstance(named, tuple)} - {"context", "action"}
    if len(names) > MAX_NAMESPACES:
        yield Problem("$.policy.learner.interactions", f"Expected at most {MAX_NAMESPACES} names of namespaces, got {len(names)}")
    if policy.floor >= 1:
        yield Problem(
            "$.policy.floor", "A floor of 1 leaves the policy nothing to decide: choose one below 1, or `exploration: uniform`"
        )


def _shortlist(settings: ExperimentSettings) -> Iterator[Problem]:
    at, policy = "$.policy.shortlist", settings.policy
    if policy.shortlist is None:
        return
    if settings.exploration in (*NATIVE, "neural", "cats", "uniform"):
        yield Problem(at, f"A shortlist is for Vowpal Wabbit's explorations, and `{settings.exploration}` needs none: leave it out")
    elif settings.actions is not None:
        yield Problem(at, "A shortlist is for actions that requests bring, and these are fixed: leave it out")
    if policy.floor == 0:
        yield Problem("$.policy.floor", "Without a floor nothing off the shortlist would ever be tried: choose one above 0")


def _cats(settings: ExperimentSettings) -> Iterator[Problem]:
    if settings.exploration != "cats":
        return
    if settings.cells is None:
        yield Problem("$.policy.exploration", "`cats` sets a number: give `actions: {low, high, cells}`, or choose another")
    elif 2 * settings.policy.bandwidth + 1 > settings.cells.n:
        at, n = "$.policy.bandwidth", settings.cells.n
        yield Problem(at, f"Expected at most {(n - 1) // 2} of {n} cells on either side, got {settings.policy.bandwidth}")
    if isinstance(settings.policy.learner.interactions, tuple):
        yield Problem("$.policy.learner.interactions", "`cats` knows no names: leave it out, or set `quadratic`")


def _actions(settings: ExperimentSettings) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, action in enumerate(settings.actions if isinstance(settings.actions, tuple) else ()):
        if action in seen:
            yield Problem(f"$.actions[{i}]", f"Action `{action}` stands twice, also at position {seen[action]}: name each once")
        seen.setdefault(action, i)


def _continuous(settings: ExperimentSettings) -> Iterator[Problem]:
    if settings.cells is not None:
        yield from _cells(settings, settings.cells)
    if settings.ranges is None:
        return
    low, high = settings.ranges
    if len(low) != len(high):
        yield Problem("$.actions", f"Expected as many `low` as `high`, got {len(low)} and {len(high)}")
    elif any(a >= b for a, b in zip(low, high, strict=True)):
        yield Problem("$.actions", "Expected each `low` below its `high`")
    if settings.mode != "online":
        yield Problem("$.mode", f"mode `{settings.mode}` serves a baseline action, and continuous actions have none: leave it out")


def _exposure(settings: ExperimentSettings) -> Iterator[Problem]:
    known, seen = settings.action_ids, set[str]()
    for i, rule in enumerate(settings.exposure):
        at = f"$.exposure[{i}]"
        if known is not None and rule.action not in known:
            yield Problem(f"{at}.action", f"`{rule.action}` is none of the actions{did_you_mean(rule.action, known)}")
        if rule.action in seen:
            yield Problem(f"{at}.action", f"`{rule.action}` has a rule already: give each action one")
        if rule.minimum > rule.maximum:
            yield Problem(f"{at}.minimum", f"Expected at most the maximum {rule.maximum:g}, got {rule.minimum:g}")
        if rule.over == 0:
            yield Problem(f"{at}.over", "A ramp of no length would be none: choose a longer one, or leave `since` out")
        seen.add(rule.action)
    if sum(rule.minimum for rule in settings.exposure) > 1:
        yield Problem("$.exposure", "The minima add up to more than 1: lower some")
    if settings.exposure and (settings.cells is not None or settings.ranges is not None):
        yield Problem("$.exposure", "Exposure is of named actions, and these are continuous: leave it out")


def _cells(settings: ExperimentSettings, cells: Cells) -> Iterator[Problem]:
    box = settings.actions
    if isinstance(box, ContinuousActions) and (box.low, box.high) not in ((cells.low, cells.high), ((cells.low,), (cells.high,))):
        yield Problem(
            "$.actions",
            "Expected one number `low` and one `high` beside `cells`; several at once are for `rewardloop rl train`",
        )
    elif cells.low >= cells.high:
        yield Problem("$.actions", f"Expected `low` below `high`, got {cells.low:g} and {cells.high:g}")
    if settings.mode != "online":
        yield Problem("$.mode", f"mode `{settings.mode}` serves a baseline action, and continuous actions have none: leave it out")


def _reward(settings: ExperimentSettings) -> Iterator[Problem]:
    reward = settings.reward
    if reward.window == 0:
        yield Problem("$.reward.window", "A reward window of 0 accepts no reward: choose a longer one")
    if reward.range is None:
        return
    low, high = reward.range
    if low >= high:
        yield Problem("$.reward.range", f"Expected [lowest, highest] with lowest < highest, got [{low}, {high}]")
    elif not low <= reward.default <= high:
        yield Problem("$.reward.default", f"The default reward {reward.default} lies outside the declared range [{low}, {high}]")


def _training(settings: ExperimentSettings) -> Iterator[Problem]:
    training = settings.training
    if training.ratio == 0:
        yield Problem("$.training.ratio", "A ratio of 0 leaves nothing to train on: choose one above 0")
    if training.ratio == 1 and settings.gate.rule == "strict":
        yield Problem("$.training.ratio", "A ratio of 1 leaves a strict gate nothing to evaluate on: choose one below 1")
    for key in ("every", "publish_interval"):
        if getattr(training, key) == 0:
            yield Problem(f"$.training.{key}", "An interval of 0 would never rest: choose a longer one")


def _gate(settings: ExperimentSettings) -> Iterator[Problem]:
    gate = settings.gate
    if gate.max_events < max(gate.min_events, 1):
        yield Problem(
            "$.gate.max_events", f"{gate.max_events} events at most and {gate.min_events} at least cannot both be: raise max_events"
        )

    metrics = [rail.metric for rail in gate.guardrails]
    for i, metric in enumerate(metrics):
        if metric in metrics[:i]:
            yield Problem(f"$.gate.guardrails[{i}].metric", f"Metric `{metric}` has a guardrail already: name each once")


def _baseline(settings: ExperimentSettings) -> Iterator[Problem]:
    known = settings.action_ids
    if settings.baseline is not None and known is not None and settings.baseline not in known:
        yield Problem("$.baseline", f"`{settings.baseline}` is none of the actions{did_you_mean(settings.baseline, known)}")
    if settings.mode != "online" and settings.training.mode == "online":
        yield Problem("$.training.mode", f"mode `{settings.mode}` learns in cycles at most: set `training.mode: batch`")


def _rollout(settings: ExperimentSettings) -> Iterator[Problem]:
    rollout = settings.rollout
    if rollout.mode != "direct" and settings.training.mode == "online":
        yield Problem(
            "$.rollout.mode",
            f"`{rollout.mode}` compares two models that stay as they are, and online learning replaces the champion many times "
            "a second: set `training.mode: batch`, or `rollout.mode: direct`",
        )
    if rollout.hold_back and settings.training.mode == "online":
        yield Problem("$.rollout.hold_back", "Online learning replaces the champion all the time: set `training.mode: batch`")
    if any(later <= earlier for earlier, later in pairwise(rollout.steps)):
        yield Problem("$.rollout.steps", f"Expected shares that grow, got {list(rollout.steps)}")


def _ranking(settings: ExperimentSettings) -> Iterator[Problem]:
    ranking = settings.ranking
    if ranking.feedback != "all" and settings.reward.closes != "window":
        yield Problem(
            "$.ranking.feedback",
            f"`{ranking.feedback}` needs to know that nothing was clicked: set `reward.closes: window`",
        )
    if ranking.examination is not None and not (ranking.examination and min(ranking.examination) > 0):
        yield Problem("$.ranking.examination", "A position that nobody looks at teaches nothing: give each a share above 0")
