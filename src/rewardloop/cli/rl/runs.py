"""`rewardloop rl runs`: what was trained, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rewardloop.charts import to_html, to_png
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data
from rewardloop.cli.rl.options import RunName
from rewardloop.cli.telling.printing import console, instant, json_document, print_facts, print_json, print_table
from rewardloop.cli.telling.writing import Renderer, ReportFiles, check_reports, write_reports
from rewardloop.errors import DirectoryInUse, InvalidInput
from rewardloop.rl.playing.charts import training_chart
from rewardloop.rl.runs.run import Manifest, RunDirectory, Runs
from rewardloop.rl.runs.training import reports_of


def runs(run: RunName | None = None, /, *, report: ReportFiles = (), data: Data = DEFAULT, json: AsJson = False) -> None:
    known = Runs(data)
    if report:
        _draw(known, run, report)
    found = [known.find(name) for name in ([run] if run else known.names())]
    manifests = [directory.read() for directory in found]
    if json:
        print_json(manifests[0] if run else manifests)
    elif run:
        _print_one(manifests[0], found[0])
    elif manifests:
        rows = [_row(manifest, directory) for manifest, directory in zip(manifests, found, strict=True)]
        print_table(("run", "environment", "algorithm", "status", ">steps", ">best return"), rows)
    else:
        console.print(f"No runs in {known.root}; begin with `rewardloop rl train`")


def _draw(known: Runs, run: str | None, report: Sequence[Path]) -> None:
    check_reports(report)
    if run is None:
        raise InvalidInput("Expected the run to report on", at="--report")
    reports = reports_of(known.find(run))
    chart = training_chart(run, reports)
    renderers: dict[str, Renderer] = {
        ".html": lambda: to_html(chart, run),
        ".png": lambda: to_png(chart),
        ".json": lambda: json_document(reports),
    }
    write_reports(report, renderers)


def status_of(manifest: Manifest, directory: RunDirectory) -> str:
    """As in the manifest; a run that says `running` while nobody trains it was killed."""
    if manifest.status != "running":
        return manifest.status
    try:
        with directory.lease():
            return "killed"
    except DirectoryInUse:
        return "running"


def _row(manifest: Manifest, directory: RunDirectory) -> tuple[str, ...]:
    best = f"{manifest.best.mean_return:.6g}" if manifest.best else "-"
    algorithm = "script" if manifest.script else manifest.plan.algorithm
    return manifest.run, manifest.plan.env.id or "-", algorithm, status_of(manifest, directory), _steps(manifest), best


def _steps(manifest: Manifest) -> str:
    """What a script has done of its steps it alone knows."""
    return f"{manifest.plan.n_steps:,} asked" if manifest.script else f"{manifest.n_steps:,} of {manifest.plan.n_steps:,}"


def _print_one(manifest: Manifest, directory: RunDirectory) -> None:
    plan = manifest.plan
    print_facts(
        [
            ("directory", str(directory.root)),
            ("environment", f"{plan.env.id}  {manifest.spaces}"),
            ("trained by", manifest.script or f"{plan.algorithm} ({plan.toolkit}), seed {plan.seed}, {plan.n_workers} workers"),
            ("status", f"{status_of(manifest, directory)}  {manifest.reason}".rstrip()),
            ("steps", _steps(manifest)),
            ("best", f"{manifest.best.mean_return:.6g} at step {manifest.best.n_steps:,}" if manifest.best else "-"),
            ("started", instant(manifest.started_at)),
            ("versions", " ".join(f"{name} {value}" for name, value in manifest.versions.items())),
        ]
    )
