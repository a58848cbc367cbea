"""Tests of a challenger: the false alarms of harmless ones under peeking, and whether harm is found."""

from __future__ import annotations

import numpy as np
import pytest

from rewardloop.evaluation.randomised.harm import LEAST, Randomised, effect, error_check, latency_check, reward_check

LEVEL = 1 - 0.05 / 3


def alarms(seen: Randomised, looks: range, target: int) -> bool:
    """Whether any look finds harm."""

    def until(n: int) -> Randomised:
        return Randomised(*(column if column is None else column[:n] for column in seen))

    return any(reward_check(until(n), LEVEL, target, 0.0).harmed for n in looks)


def events(generator: np.random.Generator, n: int, share: float, rate: float, worse: float = 0.0) -> Randomised:
    challenged = generator.random(n) < share
    reward = (generator.random(n) < rate - worse * challenged).astype(float)
    return Randomised(reward, challenged, np.full(n, share))


@pytest.mark.parametrize(("share", "n"), [(0.5, 4_000), (0.05, 12_000), (0.01, 30_000)])
def test_a_harmless_challenger_is_rarely_taken_back_however_often_one_looks(share: float, n: int) -> None:
    generator = np.random.default_rng(int(share * 100))
    looks = range(n // 20, n + 1, n // 20)
    false = sum(alarms(events(generator, n, share, 0.1), looks, round(500 / share)) for _ in range(400))
    assert false / 400 <= 0.05


def test_drift_while_the_share_grows_is_no_harm() -> None:
    """The rewards halve as the share goes up: plain means of the two variants would differ."""
    generator = np.random.default_rng(1)
    share = np.repeat([0.05, 0.5], 4_000)
    false, plain = 0, 0
    for _ in range(200):
        challenged = generator.random(8_000) < share
        reward = (generator.random(8_000) < np.where(share > 0.1, 0.2, 0.4)).astype(float)
        false += alarms(Randomised(reward, challenged, share), range(1_000, 8_001, 500), 10_000)
        plain += reward[challenged].mean() < reward[~challenged].mean() - 0.05
    assert plain > 150
    assert false / 200 <= 0.05


def test_users_who_differ_are_no_harm_where_variants_are_sticky() -> None:
    """A user is good or bad throughout. Counting events as if they were independent would be wrong far more often."""
    generator = np.random.default_rng(2)
    false, naive = 0, 0
    for _ in range(200):
        user = generator.zipf(1.5, 6_000) % 600
        taste = generator.beta(0.3, 0.7, 600)
        challenged = (generator.random(600) < 0.3)[user]
        reward = (generator.random(6_000) < taste[user]).astype(float)
        looks = range(600, 6_001, 600)
        false += alarms(Randomised(reward, challenged, np.full(6_000, 0.3), user), looks, 1_700)
        naive += alarms(Randomised(reward, challenged, np.full(6_000, 0.3)), looks, 1_700)
    assert naive / 200 > 0.2
    assert false / 200 <= 0.05


def test_harm_is_found() -> None:
    generator = np.random.default_rng(3)
    found = [alarms(events(generator, 8_000, 0.25, 0.5, worse=0.15), range(400, 8_001, 400), 2_000) for _ in range(100)]
    assert np.mean(found) > 0.95


def test_the_effect_is_the_difference_of_means() -> None:
    seen = events(np.random.default_rng(4), 200_000, 0.5, 0.5, worse=0.1)
    assert effect(seen, LEVEL, 1_000).value == pytest.approx(-0.1, abs=0.01)


def test_nothing_is_said_of_few_decisions() -> None:
    seen = events(np.random.default_rng(5), 2 * LEAST - 10, 0.5, 0.5, worse=0.5)
    check = reward_check(seen, LEVEL, 100, 0.0)
    assert not check.harmed
    assert "Too few decisions yet" in check.sentence


def test_errors_within_the_limit_raise_few_alarms_however_often_one_looks() -> None:
    generator = np.random.default_rng(6)
    failed = np.cumsum(generator.random((1_000, 1_000)) < 0.02, axis=1)
    looks = range(9, 1_000, 10)
    false = np.mean([any(error_check(int(run[n]), n + 1, 0.95, 0.02).harmed for n in looks) for run in failed])
    assert 0 < false <= 0.05
    worse = np.cumsum(generator.random((200, 1_000)) < 0.06, axis=1)
    assert np.mean([error_check(int(run[-1]), 1_000, 0.95, 0.02).harmed for run in worse]) > 0.95


def test_equal_latency_raises_few_alarms_and_a_slow_challenger_is_found() -> None:
    generator = np.random.default_rng(7)

    def alarm(slower: float) -> bool:
        times = generator.lognormal(4, 1, (2, 2_000)) + np.array([[0.0], [slower]])
        sums = [[(n, x[:n].sum(), np.square(x[:n]).sum()) for x in times] for n in range(200, 2_001, 200)]
        return any(latency_check(*pair, LEVEL, 20.0).harmed for pair in sums)

    assert np.mean([alarm(20.0) for _ in range(300)]) <= 0.05
    assert np.mean([alarm(100.0) for _ in range(50)]) == 1.0
