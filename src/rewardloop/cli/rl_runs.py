"""`rewardloop rl runs`: what was trained, and how it stands."""

from __future__ import annotations

from rewardloop.cli.options import DEFAULT, AsJson, Data
from rewardloop.cli.printing import console, instant, print_facts, print_json, print_table
from rewardloop.cli.rl_options import RunName
from rewardloop.errors import DirectoryInUse
from rewardloop.rl.runs import Manifest, RunDirectory, Runs


def runs(run: RunName | None = None, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    known = Runs(data)
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
    steps = f"{manifest.n_steps:,} of {manifest.plan.n_steps:,}"
    return manifest.run, manifest.plan.env.id, algorithm, status_of(manifest, directory), steps, best


def _print_one(manifest: Manifest, directory: RunDirectory) -> None:
    plan = manifest.plan
    print_facts(
        [
            ("directory", str(directory.root)),
            ("environment", f"{plan.env.id}  {manifest.spaces}"),
            ("trained by", manifest.script or f"{plan.algorithm} ({plan.toolkit}), seed {plan.seed}, {plan.n_workers} workers"),
            ("status", f"{status_of(manifest, directory)}  {manifest.reason}".rstrip()),
            ("steps", f"{manifest.n_steps:,} of {plan.n_steps:,}"),
            ("best", f"{manifest.best.mean_return:.6g} at step {manifest.best.n_steps:,}" if manifest.best else "-"),
            ("started", instant(manifest.started_at)),
            ("versions", " ".join(f"{name} {value}" for name, value in manifest.versions.items())),
        ]
    )
