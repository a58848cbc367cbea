"""What one check says. Nothing is computed here."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["ok", "note", "warning", "error"]

ALPHA = 0.001
"""Nominal share of clean logs on which a statistical check alarms (measured: under 1 %). Its tests share it (Bonferroni)."""


class Finding(msgspec.Struct, frozen=True):
    """One check's answer, for a person first. Every number is finite, so that it survives JSON."""

    check: str
    severity: Severity
    """`error`: estimates from this log are wrong or impossible. `warning`: biased or imprecise. `note`: could not be checked, or
    worth knowing."""
    sentence: str
    numbers: dict[str, float] = {}
    consequence: str = ""
    """What it would bias. Empty where nothing is wrong."""
    remedy: str = ""
