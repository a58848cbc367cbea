"""The evaluation of anybody's policy on anybody's log: a file of decisions, with a column of what the policy would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b, file_digest
from pathlib import Path

import numpy as np

from rewardloop.evaluation.diagnostics.usable import sift
from rewardloop.evaluation.documents.full import EvaluationReport, Subject, full_report
from rewardloop.evaluation.gate.gate import judge
from rewardloop.evaluation.seen import Seen, look
from rewardloop.exchange.named import check_one
from rewardloop.exchange.observing import observe_file
from rewardloop.interactions import Floats, Interactions
from rewardloop.lake.observed import NEWEST, Observed
from rewardloop.settings import GateSettings

STRICT = GateSettings(rule="strict")
SEED = 0


def evaluate_file(
    path: Path,
    candidate: str,
    hosted: str | None = None,
    settings: GateSettings = STRICT,
    *,
    actions: Sequence[str] | None = None,
    only: str | None = None,
    newest: int = NEWEST,
) -> EvaluationReport:
    """What a policy would have earned, by its answers to the decisions of a log: CSV, JSON lines, Parquet or dsjson.

    The column `candidate` holds an action's id a row, or a distribution: `{id: probability}`, or a list in the order of what was
    on offer. It should have learned from other rows than these. `hosted` is the column of what it is compared with; None: what was
    logged. `actions`, `only` and `newest` are as for `observe_file`. Memory: `newest` rows; the same file gives the same bits.

    Raises `NotFound`; `InvalidInput` for a file that cannot be read, that mixes experiments, or where a row has no usable answer:
    faulty rows of the log are left out and counted, but without a row that the policy was not asked about it is another policy.
    """
    columns = (candidate,) if hosted is None else (candidate, hosted)
    log = observe_file(path, actions, newest, only, columns)
    check_one(log.experiments if only is None else {}, str(path))
    seen = _seen(log, dict(zip(("candidate", "hosted"), columns, strict=False)))
    n_refused = sum(refused.n for refused in log.refused.values())
    subject = Subject(
        experiment=only or path.name,
        candidate=candidate,
        hosted=hosted,
        dataset=_fingerprint(path),
        watermark=int(log.decided_at.max(initial=0)),
        n_events=len(log) + log.n_older + n_refused,
        n_held_out=len(log) + n_refused,
        from_file=True,
    )
    return full_report(subject, judge(seen, settings, None), seen, settings, None)


def _seen(log: Observed, columns: dict[str, str]) -> Seen:
    usable, excluded = sift(log.interactions)
    flat = np.repeat(usable, np.diff(log.interactions.offsets))
    policies = {name: log.answers[column][flat] for name, column in columns.items()}
    events = log.interactions.take(usable)
    seen = look(lambda: iter([events]), {name: partial(_answered, pmf) for name, pmf in policies.items()}, SEED, robust=True)
    return replace(seen, excluded=excluded | {reason: refused.n for reason, refused in log.refused.items()})


def _answered(pmf: Floats, _: Interactions) -> Floats:
    return pmf


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()
