"""Which slots are learned from: up to the first click, or by their chance of having been looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.actions import fixed_actions
from rewardloop.errors import InvalidSettings
from rewardloop.ids import part_of, slot_event_id
from rewardloop.interactions import Interactions
from rewardloop.learning import examined, examined_stream
from rewardloop.settings import ExperimentSettings, RankingSettings, RewardSettings, checked

ARMS = fixed_actions(["a", "b"])


def settings(feedback: str, examination: tuple[float, ...] | None = None) -> ExperimentSettings:
    ranking = RankingSettings(feedback=feedback, examination=examination)  # type: ignore[arg-type]
    return ExperimentSettings(experiment="films", ranking=ranking, reward=RewardSettings(closes="window"))


def ranked(clicks: list[list[int]]) -> Interactions:
    """One event a list, closed one after another, its slots in an order that says nothing."""
    rows = [(f"e{i}", j, click, i) for i, event in enumerate(clicks) for j, click in reversed(list(enumerate(event)))]
    n = len(rows)
    return Interactions(
        [slot_event_id(event, str(j + 1), j) for event, j, _, _ in rows],
        [{}] * n,
        [ARMS] * n,
        np.zeros(n, np.int64),
        np.full(n, 0.5),
        np.array([float(click) for _, _, click, _ in rows]),
        np.full(2 * n, 0.5),
        2 * np.arange(n + 1),
        np.zeros(n),
        np.array([at for *_, at in rows], np.int64),
    )


def seen(interactions: Interactions) -> set[tuple[str, int]]:
    return {(part.event_id, part.position) for part in map(part_of, interactions.event_ids)}


def test_a_cascade_is_learned_from_up_to_its_first_click_and_wholly_without_one() -> None:
    found = examined(ranked([[0, 1, 0, 1], [0, 0], [1, 0]]), settings("cascade"))
    assert seen(found) == {("e0", 0), ("e0", 1), ("e1", 0), ("e1", 1), ("e2", 0)}


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), min_size=1, max_size=8), st.integers(1, 5))
def test_the_end_of_a_batch_cuts_no_decision(clicks: list[list[int]], size: int) -> None:
    rows = ranked(clicks)
    batches = [rows.take(np.arange(start, min(start + size, len(rows)))) for start in range(0, len(rows), size)]
    found = list(examined_stream(batches, settings("cascade")))
    assert Interactions.concatenated(found).event_ids == examined(rows, settings("cascade")).event_ids


def test_by_position_every_click_is_learned_and_what_is_rarely_looked_at_seldom_counts_as_refused() -> None:
    """Attractiveness .2, looked at with .5: of 2,000 rows 200 are clicked; among those kept the rate is .2 again."""
    rng = np.random.default_rng(0)
    clicks = [[int(rng.random() < 0.2), int(rng.random() < 0.1)] for _ in range(2_000)]
    found = examined(ranked(clicks), settings("position", (1.0, 0.5)))
    position = np.array([part_of(event_id).position for event_id in found.event_ids])
    assert (position == 0).sum() == 2_000
    assert found.reward[position == 1].sum() == sum(event[1] for event in clicks)
    assert abs(found.reward[position == 1].mean() - 0.2) < 0.03


def test_without_shares_the_chance_falls_as_one_over_the_position() -> None:
    found = examined(ranked([[0] * 4] * 1_000), settings("position"))
    n = np.bincount([part_of(event_id).position for event_id in found.event_ids])
    assert n[0] == 1_000
    assert abs(n[3] - 250) < 60


def test_all_is_everything() -> None:
    rows = ranked([[1, 0]])
    assert examined(rows, settings("all")) is rows


@pytest.mark.parametrize("feedback", ["cascade", "position"])
def test_a_click_model_needs_to_know_that_nothing_was_clicked(feedback: str) -> None:
    wrong = ExperimentSettings(experiment="films", ranking=RankingSettings(feedback=feedback))  # type: ignore[arg-type]
    with pytest.raises(InvalidSettings, match=r"reward\.closes: window"):
        checked(wrong)
