"""A live A/B test: false alarms under continuous peeking, power, and what it says. Fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest

from rewardloop.evaluation import Estimate
from rewardloop.evaluation.randomised.harm import Randomised
from rewardloop.evaluation.randomised.two_sample import ab_test, n_to_show
from rewardloop.evaluation.sequences import asymptotic_sequence

LEVEL, TARGET = 0.95, 1_000


def visits(n: int, seed: int, gain: float = 0.0, share: float = 0.5) -> Randomised:
    """A earns 1 in one of ten decisions, B in `gain` more."""
    generator = np.random.default_rng(seed)
    challenged = generator.random(n) < share
    reward = (generator.random(n) < 0.1 + gain * challenged).astype(float)
    return Randomised(reward, challenged, np.full(n, share))


def shown_at(seen: Randomised) -> int | None:
    """The first look, of one after every decision, at which a test would be over."""
    reward, n = seen.reward, len(seen.reward)
    before = np.append(reward[:1], (np.cumsum(reward) / np.arange(1, n + 1))[:-1])
    scores = (reward - before) * np.where(seen.challenged, 1 / seen.share, -1 / (1 - seen.share))
    sequence = asymptotic_sequence(scores, LEVEL, TARGET)
    turns = np.cumsum(seen.challenged)
    allowed = np.minimum(turns, np.arange(1, n + 1) - turns) >= 100
    over = np.flatnonzero(allowed & ((sequence.lower > 0) | (sequence.upper < 0)))
    return int(over[0]) + 1 if len(over) else None


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_of_equal_variants_no_more_than_alpha_differ_at_any_look(share: float) -> None:
    alarms = [shown_at(visits(8_000, seed, share=share)) is not None for seed in range(2_000)]
    assert np.mean(alarms) <= 0.05


def test_a_difference_is_found_and_about_when_it_was_said() -> None:
    """+.04 on .10: by 8,000 decisions in at least nine of ten tests."""
    found = [shown_at(visits(8_000, seed, 0.04)) for seed in range(100)]
    assert np.mean([at is not None for at in found]) >= 0.9
    early = visits(2_000, 1, 0.02)
    said = ab_test("m.1", "m.2", early, 0.5, LEVEL, TARGET)
    assert said.winner == "undecided"
    assert said.n_needed is not None
    assert 2_000 < said.n_needed < 1_000_000
    assert f"{said.n_needed:,} decisions" in said.summary


def test_the_test_by_its_sequence_is_the_test_by_its_report() -> None:
    for seed in range(3):
        seen = visits(4_000, seed, 0.05)
        at = shown_at(seen)
        assert at is not None
        until = [ab_test("m.1", "m.2", Randomised(*(column[:n] for column in seen[:3])), 0.5, LEVEL, TARGET) for n in (at - 1, at)]  # type: ignore[index]
        assert [test.winner for test in until] == ["undecided", "b"]


def test_who_won_is_said_with_the_numbers() -> None:
    better, worse = (ab_test("m.1", "m.2", visits(8_000, 0, gain), 0.5, LEVEL, TARGET) for gain in (0.08, -0.08))
    assert (better.winner, worse.winner) == ("b", "a")
    assert "B (m.2) earns more than m.1" in better.summary
    assert "A (m.1) earns more than m.2" in worse.summary
    assert better.reward_a is not None
    assert better.reward_b is not None
    assert better.reward_a.lower < 0.1 < better.reward_a.upper
    assert better.reward_b.lower < 0.18 < better.reward_b.upper
    assert (better.n_a + better.n_b, better.curve[-1].value) == (8_000, better.difference and better.difference.value)


def test_an_aa_test_that_finds_a_difference_says_that_something_is_wrong() -> None:
    assert "As it should be" in ab_test("m.1", "m.1", visits(3_000, 0), 0.5, LEVEL, TARGET).summary
    assert "Something is wrong" in ab_test("m.1", "m.1", visits(8_000, 0, 0.08), 0.5, LEVEL, TARGET).summary


@pytest.mark.parametrize("n", [0, 1, 150])
def test_of_few_decisions_nothing_is_said(n: int) -> None:
    found = ab_test("m.1", "m.2", visits(n, 0), 0.5, LEVEL, TARGET)
    assert (found.winner, found.difference, found.curve) == ("too few", None, ())


def test_keys_are_observations_and_no_difference_needs_for_ever() -> None:
    seen = visits(4_000, 0, 0.08)
    keyed = seen._replace(key=np.repeat(np.arange(400), 10), challenged=np.repeat(seen.challenged[::10], 10))
    found = ab_test("m.1", "m.2", keyed, 0.5, LEVEL, TARGET)
    assert found.difference is not None
    assert found.difference.n == 400
    assert found.curve[-1].n == 4_000
    assert n_to_show(Estimate(0.0, -0.1, 0.1, 0.95, 400, 400.0), TARGET) is None
