"""The golden-request probe: a model that does not answer as it did when it was trained is never served."""

from __future__ import annotations

import math

from rewardloop.actions import parse_actions
from rewardloop.errors import CorruptModel
from rewardloop.features import parse_context
from rewardloop.policies.continuous import ContinuousPolicy, draw
from rewardloop.policies.contract import Policy
from rewardloop.registry.records import GoldenRequest, ModelRecord

TOLERANCE = 1e-6


def probe(policy: Policy, record: ModelRecord) -> None:
    """Raises `CorruptModel` when any golden request gets another pmf than the manifest holds, or none."""
    for i, golden in enumerate(record.golden):
        actions = parse_actions(golden.actions.encode())
        try:
            found = policy.pmf(parse_context(golden.context.encode()), actions)
        except Exception as error:
            raise CorruptModel(f"Model `{record.model_id}` fails golden request {i}: {type(error).__name__}: {error}") from error
        same_size = len(found) == len(golden.pmf)
        off = max(abs(a - b) for a, b in zip(found, golden.pmf, strict=True)) if same_size else math.inf
        off = max(off, _off_values(policy, golden))
        if not off <= TOLERANCE:
            raise CorruptModel(
                f"Model `{record.model_id}` fails golden request {i}: expected the answer it had when it was trained, "
                f"got one that is off by {off:.3g}; make it again with `rewardloop train --rebuild {record.model_id}`"
            )


def _off_values(policy: Policy, golden: GoldenRequest) -> float:
    """How far off the values without exploration are over a box, as a share of the range; 0 where actions are arms."""
    ranges = parse_actions(golden.actions.encode()).ranges
    if not golden.values or ranges is None:
        return 0.0
    if not isinstance(policy, ContinuousPolicy):
        return math.inf
    spread = policy.spread(parse_context(golden.context.encode()), ranges)
    found = draw(spread, ranges, floor=0.0, explore=False, seed=0).values
    return max(abs(a - b) / (high - low) for a, b, low, high in zip(found, golden.values, *ranges, strict=True))
