"""Rewards that come late, for nobody, or not at all."""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.interactions import Floats
from rewardloop.lake.observed import Observed

_LATE, _MUCH = 0.01, 0.1
_ORPHANS = 0.01
_NO_REWARD = 0.99
_TAIL = 0.1
"""The last part of the window …"""
_TAIL_SHARE = 0.01
"""… in which hardly any reward may arrive, if none is to come after it."""
_FEW = 200
_YOUNG = 0.05


def late_rewards(log: Observed) -> Finding:
    """Censoring: rewards refused because they came after the window, and delays that pile up near its end."""
    if log.ledger is None or log.window is None:
        return Finding("late_rewards", "note", "Not checked: the file does not say when rewards arrived.")
    late = log.ledger.rewards_late / max(1, log.ledger.rewards_received)
    tail, n = _near_the_end(_delays(log), log.window)
    numbers = {"late_share": late, "near_the_end": tail, "delays": float(n)}
    told = [f"{late:.1%} of rewards came after their event had closed"] if late > _LATE else []
    if n >= _FEW and tail - 2.6 * np.sqrt(tail * (1 - tail) / n) > _TAIL_SHARE:
        told.append(f"{tail:.1%} of rewards arrive in the last tenth of the window, so more will come after it")
    if not told:
        return Finding("late_rewards", "ok", f"Rewards arrive within the window: {late:.2%} came too late.", numbers)
    return Finding(
        "late_rewards",
        "error" if late > _MUCH else "warning",
        f"{' and '.join(told)}.",
        numbers,
        "Slow rewards count as `reward.default`: actions whose rewards take long look worse than they are.",
        "Lengthen `reward.window`; all of history is then joined anew. "
        "If an event may have several, `earliest` counts the others as late.",
    )


def young_events(log: Observed) -> Finding:
    """Events whose window has not passed: in the data if rewarded, still open if not."""
    if log.ledger is None or log.settled_until is None or not len(log):
        return Finding("young_events", "note", "Not checked: the file does not say how long rewards were waited for.")
    young = int((log.decided_at > log.settled_until).sum())
    numbers = {"young": float(young), "share": young / len(log), "open": float(log.ledger.open)}
    if not young or not log.ledger.open:
        return Finding("young_events", "ok", "No event is missing because it still waits for its reward.", numbers)
    return Finding(
        "young_events",
        "warning" if young > _YOUNG * len(log) else "note",
        f"{young:,} of {len(log):,} events were decided within the last reward window, and {log.ledger.open:,} more of that time "
        "still wait.",
        numbers,
        "A reward closes its event, a missing one waits for the window: the youngest events in the data are the rewarded ones, and "
        "their mean reward is too high.",
        "Wait a window, or shorten `reward.window`; drift and what is to be gained are looked for in older events only.",
    )


def lost_rewards(log: Observed) -> Finding:
    """Rewards whose decision is not known, and decisions that never got one."""
    if log.ledger is None:
        return Finding("lost_rewards", "note", "Not checked: in a file, every row has its reward.")
    ledger = log.ledger
    orphans = ledger.rewards_orphan / max(1, ledger.rewards_received)
    silent = ledger.defaulted / max(1, ledger.with_reward + ledger.defaulted)
    numbers = {"orphan_share": orphans, "no_reward_share": silent, "duplicates": float(ledger.rewards_duplicate)}
    told = [f"{orphans:.1%} of rewards are for no decision of this log"] if orphans > _ORPHANS else []
    if silent > _NO_REWARD:
        told.append(f"{silent:.1%} of decisions got no reward")
    if not told:
        return Finding("lost_rewards", "ok", f"Rewards find their decisions; {silent:.1%} of decisions got none.", numbers)
    return Finding(
        "lost_rewards",
        "warning",
        f"{' and '.join(told)}.",
        numbers,
        "What was earned is missing from the data, and its decisions count with `reward.default`.",
        "Send back the `event_id` exactly as `decide` answered it, to the same data directory and experiment.",
    )


def _delays(log: Observed) -> Floats:
    """Microseconds from decision to first reward, where both are known and in order."""
    delay = log.rewarded_at - log.decided_at
    return np.asarray(delay[(log.rewarded_at >= 0) & (delay >= 0)], dtype=np.float64)


def _near_the_end(delays: Floats, window: int) -> tuple[float, int]:
    """Share of the delays within the window that fall into its last tenth, and how many there are."""
    inside = delays[delays <= window]
    return (float((inside > (1 - _TAIL) * window).mean()) if len(inside) else 0.0), len(inside)
