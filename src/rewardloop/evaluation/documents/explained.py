"""Explanations as documents: of a policy (what each feature is worth to it) and of one decision (why this action)."""

from __future__ import annotations

import msgspec

from rewardloop.evaluation.explanations.contributions import Contribution, Contributions
from rewardloop.evaluation.explanations.feature_groups import By, Source
from rewardloop.evaluation.explanations.importance import FeatureImportance, Importance

_NAMED = 3
"""Features in a sentence."""
_WORD = 80
"""Characters of a word that are shown."""
_FELT = 0.005
"""A smaller change of a probability is not worth a sentence."""


class PolicyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Feature importance of one model on held-out events, as served."""

    summary: str
    """One sentence."""
    experiment: str
    model_id: str
    dataset: str
    """Fingerprint of the data set."""
    watermark: int
    """Microseconds UTC."""
    by: By
    seed: int
    importance: Importance


class DecisionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Why one decision was made as it was, by the model that made it."""

    summary: str
    """One sentence."""
    experiment: str
    model_id: str
    event_id: str
    decided_at: int
    """Microseconds UTC."""
    dataset: str
    n_typical: int
    """Events of the data set that say what is typical."""
    contributions: Contributions


def policy_summary(model_id: str, found: Importance) -> str:
    """One sentence: what is shown to matter most."""
    shown = [feature for feature in found.features if feature.matters]
    value = found.value
    on = f"{value.n:,} held-out events, {value.level:.0%} level"
    if not shown:
        return f"No feature is shown to matter to {model_id} ({on})."
    first, *others = shown[:_NAMED]
    loss = f"{first.loss.value:.4g} less than its {value.value:.4g}"
    then = "".join(f", without {_name(feature)} {feature.loss.value:.4g}" for feature in others)
    return f"Without {_name(first)} {model_id} would earn {loss}{then} ({on})."


def decision_summary(found: Contributions) -> str:
    """One sentence: what was chosen, and what spoke most for it or against it."""
    chosen = f"`{plain(found.action)}` was chosen with probability {found.probability:.3g}"
    if found.even:
        chosen += f", as any of the {found.n_actions:,} actions"
    elif found.action != found.favourite:
        chosen += f", to explore: the policy favours `{plain(found.favourite)}`"
    spoke = [feature for feature in found.features if abs(feature.change) >= _FELT]
    if not spoke:
        return f"{chosen}; no single feature of this event changes that much."
    return f"{chosen}; {_spoke(spoke[0])}."


def shown_value(value: float | str | None) -> str:
    """As a person reads it.

    >>> shown_value(0.30000000000000004), shown_value("ios"), shown_value(None)
    ('0.3', 'ios', 'absent')
    """
    if value is None:
        return "absent"
    if not isinstance(value, str):
        return f"{value:.6g}"
    return plain(value if len(value) <= _WORD else f"{value[: _WORD - 1]}…")


def plain(text: str) -> str:
    """What a client named, without what would move a terminal's cursor or break a page.

    >>> plain("a\\x1b[2Jb")
    'a�[2Jb'
    """
    return "".join(character if character.isprintable() else "�" for character in text)


def label(of: Source, name: str) -> str:
    """Tells a feature of the actions from one of the context.

    >>> label("context", "age"), label("action", "price")
    ('age', 'price (of the action)')
    """
    return plain(name if of == "context" else f"{name} (of the action)")


def _name(feature: FeatureImportance) -> str:
    return f"`{label(feature.of, feature.name)}`"


def _spoke(feature: Contribution) -> str:
    side = "for" if feature.change > 0 else "against"
    value, usual = shown_value(feature.value), shown_value(feature.typical)
    told = f"what speaks most {side} it is `{label(feature.of, feature.name)}` being {value} instead of the typical {usual}"
    return f"{told}, with which it would have been {feature.probability:.3g}"
