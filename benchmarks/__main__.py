"""Every figure that is promised, measured on this machine in one run: `python -m benchmarks [--write docs/benchmarks.md]`.

Each script is a process of its own and prints JSON; this one runs them in turn and sets what they found beside what is wanted.
Machines differ and are shared: figures are CPU time an operation and ratios against a peer in the same run, but for latencies.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.table import Table

ACCURACY = ("digits", "cancer", "wine", "clusters", "noisy", "many")
"""Real ones and drawn ones."""
SCRIPTS = {
    "serve": ["-m", "benchmarks.serve"],
    "dialects": ["-m", "benchmarks.dialects"],
    "in_process": ["-m", "benchmarks.in_process"],
    "online": ["-m", "benchmarks.online"],
    "training": ["-m", "benchmarks.training"],
    "policies": ["-m", "benchmarks.policies"],
    "candidates": ["-m", "benchmarks.candidates"],
    "scoring": ["-m", "benchmarks.scoring"],
    "join": ["-m", "benchmarks.join"],
    "evaluation_speed": ["-m", "benchmarks.evaluation_speed"],
    "streaming": ["-m", "benchmarks.streaming"],
    "evaluation_accuracy": ["-m", "benchmarks.evaluation_accuracy", *ACCURACY, "--repetitions", "24"],
    "gate_peeking": ["-m", "benchmarks.gate_peeking"],
    "learning": ["-m", "benchmarks.learning", "--seeds", "3"],
    "ranking": ["-m", "benchmarks.ranking", "--seeds", "3"],
    "continuous": ["-m", "benchmarks.continuous", "--seeds", "3"],
    "energyplus": ["-m", "benchmarks.energyplus"],
    "remote": ["-m", "benchmarks.remote"],
}

app = App()


@dataclass(frozen=True)
class Figure:
    """One promise: where its number stands in a script's JSON, and what it should be."""

    script: str
    path: tuple[str, ...]
    name: str
    wanted: float
    unit: str
    at_least: bool = True

    def found(self, results: dict[str, Any]) -> float:
        """NaN where a peer that is not installed left it out."""
        value: Any = results[self.script]
        for key in self.path:
            value = value.get(key, math.nan) if isinstance(value, dict) else math.nan
        return float(value)

    def kept(self, number: float) -> bool:
        return number >= self.wanted if self.at_least else number <= self.wanted


FIGURES = (
    Figure("serve", ("arms", "per_cpu_second"), "decide over HTTP, fixed arms, 64 connections", 20_000, "a core-second"),
    Figure("serve", ("arms_vw", "over_flask"), "the same VW policy against Flask + gunicorn", 10, "times"),
    Figure("serve", ("articles", "per_cpu_second"), "decide, 10 actions × 10 features + 20 shared, lints", 12_000, "a core-second"),
    Figure(
        "serve",
        ("articles_vw", "per_cpu_second"),
        "decide, 10 actions × 10 features + 20 shared, VW's regcbopt",
        12_000,
        "a core-second",
    ),
    Figure("serve", ("arms_batch", "per_cpu_second"), "batch of 100, fixed arms", 150_000, "a core-second"),
    Figure("serve", ("articles_batch", "per_cpu_second"), "batch of 100, actions with features, lints", 38_000, "a core-second"),
    Figure(
        "serve",
        ("articles_vw_batch", "per_cpu_second"),
        "batch of 100, actions with features, VW's regcbopt",
        38_000,
        "a core-second",
    ),
    Figure("serve", ("arms_one_connection", "p50_ms"), "one connection, p50", 0.3, "ms", False),
    Figure("serve", ("arms_one_connection", "p99_ms"), "one connection, p99", 3, "ms", False),
    Figure("serve", ("arms_half_rate", "p99_ms"), "half the saturating rate, p99", 15, "ms", False),
    Figure("dialects", ("sagemaker_arms", "ratio"), "SageMaker's call over the native one, fixed arms", 1.5, "times", False),
    Figure("dialects", ("sagemaker_articles", "ratio"), "the same, 10 actions with features", 1.5, "times", False),
    Figure("dialects", ("sagemaker_articles_differing", "ratio"), "the same, other actions in every request", 1.5, "times", False),
    Figure("dialects", ("personalizer_v1", "ratio"), "Personalizer's v1.0 rank, 10 actions with features", 1.5, "times", False),
    Figure("dialects", ("personalizer_2022", "ratio"), "Personalizer's 2022 rank, the same", 1.5, "times", False),
    Figure("dialects", ("personalizer_differing", "ratio"), "the same, other actions in every request", 1.5, "times", False),
    Figure("in_process", ("fixed_arms_us",), "in process, logged, fixed arms", 15, "µs", False),
    Figure("in_process", ("ten_actions_us",), "in process, logged, 10 actions, lints", 40, "µs", False),
    Figure("in_process", ("ten_actions_vw_us",), "in process, logged, 10 actions, VW's regcbopt", 40, "µs", False),
    Figure("candidates", ("lints", "median_ms"), "decide among 10,000 candidates, others each time, lints", 50, "ms CPU", False),
    Figure("online", ("p50_ms",), "online: reward → served, p50", 100, "ms", False),
    Figure("online", ("p99_ms",), "online: reward → served, p99", 250, "ms", False),
    Figure("training", ("regcbopt", "ratio_wall"), "bulk training against VW's driver, regcbopt", 0.65, "times"),
    Figure("training", ("egreedy", "ratio_wall"), "bulk training against VW's driver, egreedy", 0.65, "times"),
    Figure("scoring", ("regcbopt", "ratio_wall"), "scoring a file against VW's driver, regcbopt", 0.6, "times"),
    Figure("scoring", ("egreedy", "ratio_wall"), "scoring a file against VW's driver, egreedy", 0.6, "times"),
    Figure("join", ("join", "decisions_per_cpu_second"), "join, 10 M decisions, labels only", 3.5e6, "a CPU-second"),
    Figure("join", ("join", "peak_mib"), "join, memory", 2_048, "MiB", False),
    Figure("evaluation_speed", ("times_as_fast", "ips over obp"), "IPS, ten actions, against Open Bandit Pipeline", 1, "times"),
    Figure("evaluation_speed", ("times_as_fast", "dr over obp"), "DR, the same", 1, "times"),
    Figure("evaluation_speed", ("times_as_fast", "dros over obp"), "tuned DRos, the same", 1, "times"),
    Figure("evaluation_speed", ("times_as_fast", "cressie_read over vw_estimators"), "Cressie–Read, vw-estimators", 5, "times"),
    Figure("evaluation_speed", ("times_as_fast", "sequence over vw_estimators"), "confidence sequence, vw-estimators", 5, "times"),
    Figure("streaming", ("peak_mib",), "evaluation, 10 M events × 10 actions, memory", 2_048, "MiB", False),
    Figure("streaming", ("furthest_from_one_batch",), "the same: furthest from the numbers of one batch", 1e-9, "relative", False),
    Figure(
        "evaluation_accuracy",
        ("ratio to chosen", "mean"),
        "error of `cdr` over Open Bandit Pipeline's best, mean",
        1.05,
        "times",
        False,
    ),
    Figure("evaluation_accuracy", ("ratio to chosen", "worst"), "the same, worst of 54 rows", 1.05, "times", False),
    Figure("evaluation_accuracy", ("ratio to chosen", "within"), "rows within 5 % of that best", 1, "of rows"),
    Figure("evaluation_accuracy", ("ratio", "within"), "rows within 5 % of what was best by hindsight", 1, "of rows"),
    Figure("gate_peeking", ("promoted", "gate"), "an equal candidate, the strict gate asked 10 times", 0.05, "of runs", False),
    Figure(
        "gate_peeking",
        ("promoted", "sequence_after_every_event"),
        "the same, its sequence after every event",
        0.05,
        "of runs",
        False,
    ),
    Figure("learning", ("mean",), "digits, 2019 protocol, defaults: mean of 15 batches", 0.7, "reward"),
    Figure("ranking", ("regret_share",), "rankings of a cascade catalogue: regret against 2019's", 0.3, "times", False),
    Figure(
        "continuous", ("lints", "mean"), "a value in a range, 5,000 rounds: mean loss with exploration", 0.11, "of range", False
    ),
    Figure("energyplus", ("DataCenter-1Zone", "overhead_percent"), "EnergyPlus, one zone: a step over raw", 15, "% CPU", False),
    Figure("energyplus", ("LargeOffice", "overhead_percent"), "EnergyPlus, Large Office: a step over raw", 5, "% CPU", False),
    Figure("energyplus", ("DataCenter-1Zone", "reset_p50_ms"), "EnergyPlus, one zone: reset, p50", 10, "ms", False),
    Figure("energyplus", ("LargeOffice", "reset_p50_ms"), "EnergyPlus, Large Office: reset, p50", 50, "ms", False),
    Figure("energyplus", ("DataCenter-1Zone", "pss_of_another_mb"), "EnergyPlus, one zone: one more", 60, "MB PSS", False),
    Figure("energyplus", ("LargeOffice", "pss_of_another_mb"), "EnergyPlus, Large Office: one more", 60, "MB PSS", False),
    Figure("energyplus", ("thousand_resets", "more_processes"), "EnergyPlus: processes left by 1,000 resets", 0, "", False),
    Figure("remote", ("trainer_us",), "remote environment: a step at the trainer's end", 150, "µs CPU", False),
)


@app.default
def main(*only: str, write: Path | None = None) -> None:
    """Run all scripts, or those named; of the others the page keeps what it has."""
    results = {name: run(name) for name in only or SCRIPTS}
    if write and only:
        results = {**measured(write), **results}
    figures = [figure for figure in FIGURES if figure.script in results]
    table = Table("figure", "wanted", "found", "")
    for name, wanted, found, mark in rows(figures, results):
        table.add_row(name, wanted, found, mark)
    Console().print(table)
    if write:
        write.write_text(page(figures, results), encoding="utf-8")


def run(name: str) -> Any:
    print(f"… {name}", file=sys.stderr)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return json.loads(subprocess.run([sys.executable, *SCRIPTS[name]], stdout=subprocess.PIPE, check=True, env=environment).stdout)


def rows(figures: list[Figure], results: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    made = []
    for figure in figures:
        number = figure.found(results)
        sign = "≥" if figure.at_least else "≤"
        mark = "not measured" if math.isnan(number) else "kept" if figure.kept(number) else "missed"
        made.append((figure.name, f"{sign} {figure.wanted:,g} {figure.unit}", f"{number:,.4g}", mark))
    return made


def measured(written: Path) -> dict[str, Any]:
    """What a page says was measured, by script; nothing where there is none."""
    if not written.exists():
        return {}
    _, _, rest = written.read_text(encoding="utf-8").partition("```json\n")
    return {name: found for name, found in json.loads(rest.partition("```")[0] or "{}").items() if name in SCRIPTS}


def page(figures: list[Figure], results: dict[str, Any]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows(figures, results)]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    return PAGE.format(machine=machine, rows="\n".join(lines), results=json.dumps(results, indent=1))


PAGE = """# Benchmarks

Made by `make bench` (`python -m benchmarks --write docs/benchmarks.md`) on a machine with {machine}. CPU
time is what the server or the process used, all of it; the load came from the other core. Serving, deciding in process and dialects
were measured in five short rounds (dialects in fifteen), of which the one is told that took the least CPU, as `timeit` does: other
work on the machine only ever adds. Ratios were measured side by side in one run of a script; where it has rounds, theirs and ours
took turns, and the median of the pairs is told. Scripts may have run at different times (`python -m benchmarks serve --write …`
renews one). What is *missed* is missed: the number is the one that was found.

| figure | wanted | found | |
|---|---|---|---|
{rows}

## Everything that was measured

```json
{results}
```
"""


if __name__ == "__main__":
    app()
