"""The challenger on trial as facts for people."""

from __future__ import annotations

from collections.abc import Iterator

from rewardloop.cli.telling.printing import instant
from rewardloop.loop.status import TrialView


def on_trial(view: TrialView) -> Iterator[tuple[str, str]]:
    """Names and sentences."""
    step = view.step
    what = f"makes {step.share:.2%} of decisions" if step.share else f"scores {step.scored:.0%} of decisions"
    sticky = f", sticky by {step.sticky}" if step.sticky else ""
    yield "on trial", f"{step.challenger} ({step.kind}) {what}{sticky}, since {instant(step.at)}; {step.reason}"
    if step.kind == "ab":
        yield "how it stands", f"rewardloop ab-test {step.experiment}"
    if step.shares:
        yield "then", " → ".join(f"{share:.2%}" for share in (*step.shares, 1.0))
    refused = f", {view.refused} processes could not load it" if view.refused else ""
    slower = f"{view.slower_us:+,.0f} µs against {view.n_champion:,} of {step.champion}"
    yield "counted", f"scored {view.n_challenger:,}, failed {view.errors:,}{refused}; {slower}"
    if view.agreement is not None and view.distance is not None:
        yield "agreement", f"same likeliest action in {view.agreement:.1%}; total variation {view.distance:.3f} on average"
    for name in ("reward", "latency"):
        if f"{name}_number" in step.numbers:
            low, high = step.numbers[f"{name}_lower"], step.numbers[f"{name}_upper"]
            yield f"{name} then", f"{step.numbers[f'{name}_number']:+.4g} ({low:+.4g} to {high:+.4g}) against the champion"
