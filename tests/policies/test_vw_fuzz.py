"""Hostile documents: a refusal or a distribution, never a dead process, never a leak. In a process of its own, to see it die."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HOSTILE = Path(__file__).parent / "hostile_documents.py"


@pytest.mark.parametrize("exploration", ["regcbopt", "egreedy"])
def test_no_document_kills_the_process_or_stays_in_memory(exploration: str) -> None:
    done = subprocess.run(
        [sys.executable, str(HOSTILE), exploration, "25000"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    n_served, n_refused, grown_kb = map(int, done.stdout.split())
    assert n_served > 6_000
    assert n_refused > 10_000
    assert grown_kb < 40_000, f"{grown_kb} KB more after the second half than after the first"
