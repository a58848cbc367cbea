"""Where every decision and every reward went: the numbers that show whether the client reports in time, twice, or for nobody."""

from __future__ import annotations

import msgspec


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the lake began. Every decision and every reward stands in exactly one column.

    decisions = closed + open;  closed = with_reward + defaulted + not_activated
    rewards_received = counted + duplicate + late + orphan + not_activated + waiting
    """

    decisions: int = 0
    duplicate_decisions: int = 0
    """The same event id again: the earliest counts, these do not."""
    open: int = 0
    closed: int = 0
    with_reward: int = 0
    defaulted: int = 0
    not_activated: int = 0
    """Deferred events whose window passed without an activation: in no data set."""
    activations: int = 0
    rewards_received: int = 0
    rewards_counted: int = 0
    rewards_duplicate: int = 0
    """The same reward id for the same event again, before it closed."""
    rewards_late: int = 0
    """After the event had closed: after its window, its `final` reward or, with `earliest`, its first."""
    rewards_orphan: int = 0
    """No decision of that id, though a window has passed since."""
    rewards_not_activated: int = 0
    """For deferred events that were never activated."""
    rewards_waiting: int = 0
    """Neither counted nor refused yet: their event is open, or its decision not seen and still possible."""
    late_commits: int = 0
    """Records that reached the lake after the data set of their time was closed: they count as of the next one."""

    def plus(self, **counts: int) -> Ledger:
        """The ledger with some columns raised, and the two that follow from the others.

        >>> Ledger(rewards_received=5).plus(rewards_late=2).rewards_waiting
        3
        """
        raised = msgspec.structs.replace(self, **{name: getattr(self, name) + n for name, n in counts.items()})
        return msgspec.structs.replace(raised, open=raised.decisions - raised.closed, rewards_waiting=raised._waiting())

    def unjoined(self) -> Ledger:
        """What is known before any join: for joining anew under other settings."""
        return Ledger(
            decisions=self.decisions,
            duplicate_decisions=self.duplicate_decisions,
            activations=self.activations,
            rewards_received=self.rewards_received,
            late_commits=self.late_commits,
        ).plus()

    def _waiting(self) -> int:
        settled = self.rewards_counted + self.rewards_duplicate + self.rewards_late
        return self.rewards_received - settled - self.rewards_orphan - self.rewards_not_activated
