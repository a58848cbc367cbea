"""Time that runs backwards, and events that happened twice."""

from __future__ import annotations

from collections import Counter

import numpy as np

from rewardloop.clock import SECOND
from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.lake.observed import Observed

_SLACK = SECOND
"""Clocks of two machines may differ by so much."""
_MANY = 0.01
_BACKWARDS = 0.01


def clock_skew(log: Observed) -> Finding:
    """Rewards stamped before their decision, and rows of a file whose times go back."""
    before = (log.rewarded_at >= 0) & (log.rewarded_at < log.decided_at - _SLACK)
    skewed = float(before.mean()) if len(log) else 0.0
    known = log.decided_at[log.decided_at >= 0]
    back = float((np.diff(known) < -_SLACK).mean()) if len(known) > 1 and log.ledger is None else 0.0
    numbers = {"rewarded_before_decided": float(before.sum()), "share": skewed, "backwards": back}
    told = []
    if skewed:
        first = log.interactions.event_ids[int(before.argmax())]
        told.append(f"{int(before.sum()):,} rewards are stamped before their decision (first: `{first}`)")
    if back > _BACKWARDS:
        told.append(f"times go back in {back:.1%} of the rows")
    if not told:
        known_times = "Decisions come before their rewards." if len(known) else "Not checked: the rows have no times."
        return Finding("clock_skew", "ok" if len(known) else "note", known_times, numbers)
    return Finding(
        "clock_skew",
        "error" if skewed > _MANY else "warning",
        f"{' and '.join(told)}.",
        numbers,
        "Windows open and close at the wrong moment, so rewards are counted or refused by mistake; drift is misjudged.",
        "Synchronise the machines' clocks (NTP), and sort a file by time.",
    )


def duplicates(log: Observed) -> Finding:
    """The same event twice."""
    if not log.has_event_ids:
        return Finding("duplicates", "note", "Not checked: the rows have no `event_id`.")
    repeated = {event_id: n for event_id, n in Counter(log.interactions.event_ids).items() if n > 1}
    extra = sum(repeated.values()) - len(repeated)
    told_twice = log.ledger.duplicate_decisions if log.ledger else 0
    numbers = {"repeated": float(extra), "refused": float(told_twice), "share": extra / max(1, len(log))}
    if extra:
        first = ", ".join(f"`{event_id}` {n}×" for event_id, n in list(repeated.items())[:5])
        return Finding(
            "duplicates",
            "error" if extra > _MANY * len(log) else "warning",
            f"{extra:,} of {len(log):,} rows repeat an event: {first}.",
            numbers,
            "Repeated events count as evidence twice: intervals are too narrow, and what is retried most weighs most.",
            "Keep one row an `event_id`; `warm-start` does, and says how many it left out.",
        )
    if told_twice:
        sentence = f"{told_twice:,} decisions repeated an event id and were not counted."
        return Finding("duplicates", "note", sentence, numbers, "", "Retries are harmless here; new events need new ids.")
    return Finding("duplicates", "ok", "No event stands twice.", numbers)
