"""How an experiment has fared, from its first decision to its last, as a page and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from rewardloop.charts import Chart, Section, Table, forest_plot, learning_curve, shares, stacked, to_page, to_png
from rewardloop.clock import isoformat
from rewardloop.evaluation import Estimate, GateReport
from rewardloop.lake.progress import Progress

CANDIDATES = 15
"""Of the gate's judgements, the newest."""

_EARNED = """\
Each point is the mean reward of decisions made one after another, all of them closed: their reward came, or their window is
over. The band is a 95 % interval of that stretch alone. The curve may rise because the policy has learned, or because the world
has changed: what a policy is worth against another says only the gate, below, on the same events."""
_CHOSEN = "Exploration included: no share falls to nothing while the policy still tries."


def progress_headline(progress: Progress, hosted: str) -> str:
    """One sentence; says so where nothing has closed yet."""
    if not progress.n:
        return f"{hosted} decides. No decision has closed yet: rewards are still awaited, or `run` has not joined them."
    first, last = progress.stretches[0], progress.stretches[-1]
    earned = f"the newest {last.n:,} closed decisions earned {last.reward:.4g} on average ({last.lower:.4g} to {last.upper:.4g})"
    before = f", the first {first.n:,} earned {first.reward:.4g}" if len(progress.stretches) > 1 else ""
    return f"{hosted} decides: {earned}{before}."


def progress_page(
    experiment: str, hosted: str, progress: Progress, judged: Mapping[str, GateReport], facts: Sequence[Section]
) -> str:
    """One self-contained HTML page. `judged`: by candidate, oldest first; `facts`: what else there is to say."""
    charts = [Section("What was earned", [_EARNED, _earned(progress)])] if progress.n else []
    if progress.n and progress.actions:
        charts.append(Section("What was chosen", [_CHOSEN, _chosen(progress)]))
    gate = _gate(judged)
    gates = [Section("What the gate said", [gate, _verdicts(judged)])] if gate else []
    return to_page(experiment, progress_headline(progress, hosted), [*charts, *gates, *facts, *_stretches(progress)])


def progress_picture(experiment: str, hosted: str, progress: Progress, judged: Mapping[str, GateReport]) -> bytes:
    """The charts as a PNG."""
    gate = _gate(judged)
    drawn = [
        *([_earned(progress)] if progress.n else []),
        *([_chosen(progress)] if progress.n and progress.actions else []),
        *([gate] if gate else []),
    ]
    return to_png(stacked(experiment, drawn, subtitle=[progress_headline(progress, hosted)]))


def _ends(progress: Progress) -> list[int]:
    return list(accumulate(stretch.n for stretch in progress.stretches))


def _earned(progress: Progress) -> Chart:
    rewards = [stretch.reward for stretch in progress.stretches]
    band = [(stretch.lower, stretch.upper) for stretch in progress.stretches]
    return learning_curve(
        _ends(progress), rewards, references={}, title="What was earned", band=band, name="mean reward, as decided"
    )


def _chosen(progress: Progress) -> Chart:
    counts = {name: [stretch.chosen[i] for stretch in progress.stretches] for i, name in enumerate(progress.actions)}
    return shares(_ends(progress), counts, title="What was chosen", x="decisions")


def _gate(judged: Mapping[str, GateReport]) -> Chart | None:
    found: dict[str, tuple[Estimate, str]] = {
        candidate: (report.difference, report.verdict.replace("_", " "))
        for candidate, report in judged.items()
        if report.difference is not None
    }
    newest = dict(list(found.items())[-CANDIDATES:])
    if not newest:
        return None
    estimates = {candidate: difference for candidate, (difference, _) in newest.items()}
    verdicts = {candidate: verdict for candidate, (_, verdict) in newest.items()}
    unit = "candidate − what was hosted, mean reward"
    return forest_plot(estimates, title="What the gate said", reference=0.0, unit=unit, groups=verdicts)


def _verdicts(judged: Mapping[str, GateReport]) -> Table:
    newest = list(judged.items())[-CANDIDATES:]
    return Table(("candidate", "in a sentence"), [(candidate, report.summary) for candidate, report in reversed(newest)])


def _stretches(progress: Progress) -> list[Section]:
    if not progress.n:
        return []
    header = ("from, UTC", "to", "decided last by", ">decisions", ">mean reward", ">95 % interval")
    rows = [
        (_second(s.first_at), _second(s.last_at), s.model_id, f"{s.n:,}", f"{s.reward:.4g}", f"{s.lower:.4g} … {s.upper:.4g}")
        for s in reversed(progress.stretches)
    ]
    return [Section("Stretch by stretch", [Table(header, rows)])]


def _second(at: int) -> str:
    return isoformat(at)[:19].replace("T", " ")
