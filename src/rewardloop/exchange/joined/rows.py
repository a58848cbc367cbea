"""The joined rows of 2019's SageMaker RL: one maker of them, for the export and for the jobs of the notebook's class."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewardloop.features import Features

COLUMNS = ("reward", "event_id", "action", "action_prob", "model_id", "observation", "sample_prob")
OBSERVATION = "observation"

JoinedRow = tuple[float, str, int, float, str, str, float]


def joined_row(  # noqa: PLR0917 - the columns in their order
    reward: float,
    event_id: str,
    action: int,
    probability: float,
    model_id: str,
    observed: Sequence[float | str] | Features,
    sample_prob: float,
) -> JoinedRow:
    """One row, in the order of `COLUMNS`; `action` counts from 0 here and from 1 there.

    >>> joined_row(1.0, "e1", 0, 0.5, "m", ["red", 2.5], 0.25)
    (1.0, 'e1', 1, 0.5, 'm', '["red",2.5]', 0.25)
    """
    return reward, event_id, action + 1, probability, model_id, msgspec.json.encode(observed).decode(), sample_prob


def observation(features: Features) -> list[float | str] | Features:
    """The list that features were made of; features that have names of their own stay as they are.

    >>> observation({"observation[0]": 1.0, "observation[1]": "red"}), observation({"age": 31})
    ([1.0, 'red'], {'age': 31})
    """
    made = all(name == f"{OBSERVATION}[{i}]" for i, name in enumerate(features))
    return list(features.values()) if made else features
