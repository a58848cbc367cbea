"""What the processes that we started use: CPU, memory. Linux only: it reads /proc."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_s(pid: int) -> float:
    """By the scheduler's own account, in ns; the ticks of `stat` are too coarse for a day of one hall."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def family_mb() -> float:
    return sum(map(pss_mb, (os.getpid(), *descendants(os.getpid()))))


def youngest() -> int:
    """The process of ours that was started last."""
    return max(descendants(os.getpid()), key=_started)


def descendants(pid: int) -> set[int]:
    """Alive ones: a zombie has no memory and waits for nobody but its parent."""
    try:
        children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()
    alive = {child for child in children if _stat(child)[0] not in "Z"}
    return alive.union(*[descendants(child) for child in alive])


def _started(pid: int) -> int:
    return int(_stat(pid)[19])


def _stat(pid: int) -> list[str]:
    """The fields after the name, the state first; a zombie's where there is none any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ["Z"] + ["0"] * 30
