"""What the testbed found as tables, a page and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from msgspec.structs import replace

from rewardloop.charts import Chart, Section, Table, convergence, stacked, to_page, to_png
from rewardloop.evaluation import Estimate
from rewardloop.testbed.summary import Score, Summary

MAX_LINES = 5
"""As many as a chart tells apart; the best of the table are drawn."""
MAX_PICTURED = 12

_READ = """\
Every policy plays the same rounds of each world, seed by seed. Mean reward is progressive: of every round as it was decided,
exploration and floor included; intervals and bands are over the seeds.

The skyline of a labelled data set is a logistic regression that is told every label (cross-validated); of a simulation, always
knowing the best arm. Regret is the reward a run falls short of it."""


def summary_page(found: Summary) -> str:
    """One self-contained HTML page."""
    sections = [
        Section("How to read this", [*_READ.split("\n\n"), _played(found)]),
        Section("Over all worlds", [overall_table(found)]),
        Section("World by world: mean reward", [reward_table(found)]),
        Section("Regret, share of the skyline and time", [score_table(found)]),
        *(Section(world, [_chart(found, world)]) for world in _worlds(found)),
    ]
    return to_page(_title(found), headline(found), sections)


def summary_picture(found: Summary) -> bytes:
    """The curves of the first twelve worlds as a PNG."""
    charts = [_chart(found, world) for world in _worlds(found)[:MAX_PICTURED]]
    return to_png(stacked(_title(found), charts, subtitle=[headline(found)]))


def headline(found: Summary) -> str:
    """Who is best, in a sentence."""
    best = found.overall[0]
    others = f", before {found.overall[1].policy} with {found.overall[1].mean_reward:.3f}" if len(found.overall) > 1 else ""
    share = "" if best.share is None else f", {best.share:.0%} of the skyline on average"
    n = len(_worlds(found))
    return f"Best over {n} world{'s' if n > 1 else ''}: {best.policy}, mean reward {best.mean_reward:.3f}{share}{others}."


def overall_table(found: Summary) -> Table:
    """A row a policy, best first."""
    header = ("policy", ">mean reward", ">share of skyline", ">worst share", "in", ">least of the best", ">µs a round")
    rows = [
        (
            each.policy,
            f"{each.mean_reward:.4f}",
            _share(each.share),
            _share(each.worst_share),
            each.worst_world,
            f"{each.against_best:.3f}",
            f"{each.round_us:,.0f}",
        )
        for each in found.overall
    ]
    return Table(header, rows)


def reward_table(found: Summary) -> Table:
    """A row a world, a column a policy: mean ± half the interval over the seeds."""
    names = [each.policy for each in found.overall]
    known = {(score.world, score.policy): score.mean_reward for score in found.scores}
    rows = [
        (
            world,
            *(_mean(known.get((world, name))) for name in names),
            _number(found.best_fixed, world),
            _number(found.skylines, world),
        )
        for world in _worlds(found)
    ]
    return Table(("world", *(f">{name}" for name in names), ">best fixed arm", ">skyline"), rows)


def score_table(found: Summary) -> Table:
    """A row a policy in a world."""
    header = (
        "world",
        "policy",
        ">seeds",
        ">regret a run",
        ">± 95%",
        ">share of skyline",
        ">decide µs",
        ">learn µs",
        ">rounds used",
    )
    return Table(header, [_row(score) for score in found.scores])


def _row(score: Score) -> tuple[str, ...]:
    regret = ("", "") if score.regret is None else (f"{score.regret.value:,.0f}", _half(score.regret, ",.0f"))
    times = f"{score.decide_us:,.0f}", f"{score.learn_us:,.0f}"
    return score.world, score.policy, str(score.n_seeds), *regret, _share(score.share), *times, f"{score.n_used:,.0f}"


def _chart(found: Summary, world: str) -> Chart:
    order = [each.policy for each in found.overall]
    scores = sorted((score for score in found.scores if score.world == world), key=lambda score: order.index(score.policy))
    curves: dict[str, Sequence[Estimate]] = {
        score.policy: [_drawn(window) for window in score.curve] for score in scores[:MAX_LINES]
    }
    return convergence(curves, title=f"{world}: mean reward", axis="rounds", reference=found.skylines.get(world))


def _drawn(window: Estimate) -> Estimate:
    """Without a band where a single seed has none."""
    return window if isfinite(window.upper) else replace(window, lower=window.value, upper=window.value)


def _worlds(found: Summary) -> list[str]:
    return list(dict.fromkeys(score.world for score in found.scores))


def _mean(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.value:.4f} {_half(estimate, '.4f')}".rstrip()


def _half(estimate: Estimate, form: str) -> str:
    half = estimate.upper - estimate.value
    return f"± {half:{form}}" if isfinite(half) else ""


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"


def _number(known: dict[str, float], world: str) -> str:
    return f"{known[world]:.4f}" if world in known else ""


def _played(found: Summary) -> str:
    knobs = found.knobs
    delay = "the world's own" if knobs.delay is None else f"exponential, {knobs.delay:g} rounds on average"
    return f"{knobs.rounds:,} rounds; delay of rewards: {delay}; learned in batches of {knobs.batch:,}."


def _title(found: Summary) -> str:
    return f"Testbed: {len(found.overall)} policies in {len(_worlds(found))} worlds"
