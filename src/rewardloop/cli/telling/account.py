"""The ledger as an account that balances: what came in, and where it went. Lines and terms of zero are left out."""

from __future__ import annotations

from collections.abc import Iterator

from rewardloop.lake import Ledger


def account(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Names and sums, for people.

    >>> dict(account(Ledger(decisions=4_000, closed=3_975, with_reward=3_900, defaulted=75, open=25)))
    {'decisions': '4,000 = 3,900 rewarded + 75 without reward + 25 open', 'rewards': '0'}
    """
    yield "decisions", _sum(ledger.decisions, _decisions(ledger))
    yield "rewards", _sum(ledger.rewards_received, _rewards(ledger))
    if ledger.activations:
        yield "activations", f"{ledger.activations:,}"
    if ledger.duplicate_decisions:
        yield "repeated", f"{ledger.duplicate_decisions:,} decisions of an event id seen before: not counted"
    if ledger.late_commits:
        yield "late", f"{ledger.late_commits:,} records came after the data set of their time: they count in the next"


def _decisions(ledger: Ledger) -> dict[str, int]:
    return {
        "rewarded": ledger.with_reward,
        "without reward": ledger.defaulted,
        "never activated": ledger.not_activated,
        "open": ledger.open,
    }


def _rewards(ledger: Ledger) -> dict[str, int]:
    return {
        "counted": ledger.rewards_counted,
        "duplicate": ledger.rewards_duplicate,
        "late": ledger.rewards_late,
        "orphan": ledger.rewards_orphan,
        "never activated": ledger.rewards_not_activated,
        "waiting": ledger.rewards_waiting,
    }


def _sum(total: int, terms: dict[str, int]) -> str:
    shown = " + ".join(f"{n:,} {name}" for name, n in terms.items() if n)
    return f"{total:,} = {shown}" if shown else f"{total:,}"
