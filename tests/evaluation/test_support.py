import dataclasses

import numpy as np
import pytest

import bandit_worlds as worlds
from rewardloop.actions import ActionSet
from rewardloop.evaluation import support

LOGGED = np.tile([0.9, 0.1, 0.0], (100, 1))
LOG = worlds.interactions(LOGGED, np.repeat([0, 1], [90, 10]), np.ones(100))


def test_the_logging_policy_supports_itself_entirely():
    seen = support(LOG, LOG.pmf)
    assert (seen.mean_weight, seen.clipped_weight, seen.clipped_weight_error) == pytest.approx((1.0, 1.0, 0.0))
    assert (seen.largest_weight, seen.ess) == pytest.approx((1.0, 100.0))
    assert (seen.overlap, seen.logged_share, seen.n_matched) == (1.0, 1.0, 90)


def test_weights_and_their_error_are_worked_by_hand():
    seen = support(LOG, np.tile([0.5, 0.5, 0.0], 100))
    assert seen.mean_weight == pytest.approx((90 * 0.5 / 0.9 + 10 * 0.5 / 0.1) / 100)
    assert seen.clipped_weight_error == pytest.approx(np.sqrt((0.25 / 0.9 + 0.25 / 0.1 - 1) / 100))
    assert seen.largest_weight == pytest.approx(5.0)


def test_an_impossible_action_is_without_overlap_and_its_absence_is_certain():
    seen = support(LOG, np.tile([0.0, 0.0, 1.0], 100))
    assert (seen.mean_weight, seen.clipped_weight_error, seen.overlap, seen.logged_share, seen.ess) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_without_logged_distributions_the_weights_themselves_must_do():
    unknown = dataclasses.replace(LOG, pmf=np.full(300, np.nan))
    seen = support(unknown, np.tile([0.0, 1.0, 0.0], 100))
    assert seen.mean_weight == pytest.approx(1.0)
    assert (seen.overlap, seen.clipped_weight, seen.clipped_weight_expected) == pytest.approx((1.0, 1.0, 1.0))
    assert seen.clipped_weight_error == pytest.approx(0.3)


def test_one_lucky_draw_of_a_rare_action_moves_the_clipped_weight_little():
    logged = np.tile([0.998, 0.002], (200, 1))
    seen = support(worlds.interactions(logged, np.repeat([0, 1], [199, 1]), np.ones(200)), np.tile([0.05, 0.95], 200))
    assert seen.mean_weight == pytest.approx(0.05 * 199 / (0.998 * 200) + 0.95 / 0.002 / 200)
    assert seen.clipped_weight == pytest.approx((199 * 0.05 / 0.998 + 10) / 200)
    assert seen.overlap == pytest.approx(0.05 + 10 * 0.002)
    assert abs(seen.clipped_weight - seen.overlap) < 4 * seen.clipped_weight_error


def test_wrong_logged_probabilities_show():
    claimed = np.tile([0.5, 0.5], (400, 1))
    seen = support(worlds.interactions(claimed, np.repeat([0, 1], [360, 40]), np.ones(400)), np.tile([1.0, 0.0], 400))
    assert abs(seen.clipped_weight - seen.overlap) > 4 * seen.clipped_weight_error + 0.05


def test_an_action_the_policy_wants_a_thousand_times_needs_ten_logged_choices():
    pmf = np.tile([0.99, 0.01], (1000, 1))
    shares = []
    for n_logged in (9, 10):
        action = np.repeat([1, 0], [n_logged, 1000 - n_logged])
        shares.append(support(worlds.interactions(pmf, action, np.ones(1000)), np.tile([0.0, 1.0], 1000)).logged_share)
    assert shares == [0.0, 1.0]


def test_ids_that_come_and_go_are_not_judged_by_name():
    actions = [ActionSet((f"a{i}", f"b{i}"), None, b"") for i in range(100)]
    log = worlds.interactions(np.tile([0.99, 0.01], (100, 1)), np.zeros(100, dtype=int), np.ones(100), actions=actions)
    seen = support(log, np.tile([0.0, 1.0], 100))
    assert (seen.logged_share, seen.named_share, seen.n_matched) == (1.0, 0.0, 0)
    assert seen.overlap == pytest.approx(0.1)
