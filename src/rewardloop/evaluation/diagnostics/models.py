"""Who wrote this log? Several models are no fault: each decision carries its own probability. It is worth knowing."""

from __future__ import annotations

from collections import Counter

from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.lake.observed import Observed


def model_mix(log: Observed) -> Finding:
    """How many models decided, and how much the most frequent one did; rows that stand for more than themselves."""
    if log.thinned:
        return Finding(
            "models",
            "warning",
            f"{log.thinned:,} rows stand for more than themselves: the other system dropped a share of such events (`pdrop`).",
            {"thinned": float(log.thinned)},
            "Averages over the rows are not averages over the traffic: what was dropped more often counts too little.",
            "Log every event, or weight the rows by 1/(1 − pdrop) before you compare means.",
        )
    counts = Counter(log.model_ids)
    if len(counts) <= 1:
        return Finding("models", "ok", "One model decided.", {"models": float(len(counts))})
    (name, most), *_ = counts.most_common(1)
    share = most / len(log)
    return Finding(
        "models",
        "note",
        f"{len(counts)} models decided, `{name}` {share:.0%} of the events; each event carries its own probability, so they can be "
        "evaluated together.",
        {"models": float(len(counts)), "largest_share": share},
    )
