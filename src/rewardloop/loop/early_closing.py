"""Whether the numbers the loop learns from are bent by when events close. One sentence, or none."""

from __future__ import annotations

from rewardloop.lake import Ledger
from rewardloop.settings import RewardSettings

MIN_CLOSED = 100
MAX_DEFAULTED = 0.01


def early_closing(ledger: Ledger, reward: RewardSettings) -> str:
    """A sentence where rewarded events close at once while unrewarded ones wait for their window; empty where all is well.

    >>> early_closing(Ledger(closed=1000, defaulted=900), RewardSettings())[:47]
    '90% of closed events had no reward, and closed '
    >>> early_closing(Ledger(closed=1000, defaulted=900), RewardSettings(closes="window"))
    ''
    """
    share = ledger.defaulted / max(ledger.closed, 1)
    if reward.closes == "window" or ledger.closed < MIN_CLOSED or share <= MAX_DEFAULTED:
        return ""
    return (
        f"{share:.0%} of closed events had no reward, and closed a window later than rewarded ones do: what closed last looks "
        "better than it is. Where silence means `reward.default`, set `reward.closes: window`"
    )
