"""What the gate says, complete enough to be recorded for ever. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rewardloop.evaluation.estimate import Estimate
from rewardloop.evaluation.gate.rules import Rule, Verdict
from rewardloop.evaluation.rankings.report import RankedReport
from rewardloop.evaluation.support import Support


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict and everything it rests on; every number is finite, so that it survives JSON."""

    verdict: Verdict
    summary: str
    """One sentence."""
    rule: str
    """`no_harm`, `strict` or `always`, as it was set."""
    estimator: str
    """`dr` or `ips`, as it was set."""
    rules: tuple[Rule, ...]
    n: int
    """Events used; slots, where decisions fill several. The `n` of an estimate counts decisions."""
    excluded: dict[str, int]
    """Events not used, by reason."""
    candidate: dict[str, Estimate]
    """By estimator: `ips`, `dr`, `cdr`, `cressie_read`. Empty with fewer than two events, and the estimates below None."""
    hosted: dict[str, Estimate] | None
    logged: Estimate | None
    """What the decisions as they were logged earned, on the same events."""
    difference: Estimate | None
    """Candidate − hosted (− logged, where nothing is hosted), paired event by event, by the estimator of the settings."""
    support: Support | None
    """Of the candidate."""
    rankings: RankedReport | None = None
    """Of whole rankings, where an evaluation was asked for and decisions fill several slots. The verdict does not rest on it."""
    serving: bool = False
    """The candidate is what is hosted: it was compared with what was hosted before it, which `hosted` is then of."""

    @property
    def passed(self) -> bool:
        return self.verdict == "promote"

    @property
    def other(self) -> str:
        """What the candidate is compared with, in a word: `before` of a candidate that is hosted already."""
        return "logged" if self.hosted is None else "before" if self.serving else "hosted"

    def rows(self) -> Iterator[tuple[str, str, Estimate]]:
        """Policy, estimator and estimate, for a table."""
        yield from (("candidate", name, estimate) for name, estimate in self.candidate.items())
        yield from ((self.other, name, estimate) for name, estimate in (self.hosted or {}).items())
        if self.logged:
            yield "logged", "mean", self.logged
        if self.difference:
            yield f"candidate − {self.other}", self.estimator, self.difference

    def to_json(self) -> str:
        """What the registry records; `GateReport.from_json` reads it again."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> GateReport:
        return msgspec.json.decode(text, type=cls)
