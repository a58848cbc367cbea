import dataclasses

import numpy as np
import pytest

import bandit_worlds as worlds
from rewardloop.actions import ActionSet
from rewardloop.evaluation import GateReport, evaluate
from rewardloop.settings import GateSettings

NO_HARM, STRICT, ALWAYS = (GateSettings(rule=rule) for rule in ("no_harm", "strict", "always"))
LOGGING = worlds.policy(0.7, epsilon=0.2)
HOSTED = worlds.policy(0.7, epsilon=0.02)


def judge(candidate, settings, n=2000, *, logging=LOGGING, hosted=HOSTED, seed=0):
    log, (candidate_pmf, hosted_pmf) = worlds.log(n, logging, np.random.default_rng(seed), candidate, hosted)
    return evaluate(log, candidate_pmf, hosted_pmf, settings, (0.0, 1.0), seed)


def rule(report, name):
    return next(rule for rule in report.rules if rule.name == name)


@pytest.mark.parametrize("settings", [NO_HARM, STRICT])
class TestBothRules:
    def test_a_clearly_better_candidate_is_promoted(self, settings):
        report = judge(worlds.policy(0.85, 0.02), settings)
        assert report.passed
        assert report.difference.lower > 0

    def test_a_clearly_worse_candidate_is_kept_out(self, settings):
        report = judge(worlds.policy(0.5, 0.02), settings)
        assert report.verdict == "keep"
        assert report.difference.upper < 0

    def test_estimates_are_near_the_truth_and_say_what_they_rest_on(self, settings):
        candidate = worlds.policy(0.85, 0.02)
        report = judge(candidate, settings)
        assert report.candidate["dr"].value == pytest.approx(candidate.value, abs=0.03)
        assert report.candidate["ips"].value == pytest.approx(candidate.value, abs=0.25)
        assert report.hosted["dr"].value == pytest.approx(HOSTED.value, abs=0.03)
        assert report.logged.value == pytest.approx(LOGGING.value, abs=0.04)
        assert {estimate.n for _, _, estimate in report.rows()} == {2000}
        assert report.candidate["dr"].ess == report.support.ess < 2000

    def test_the_report_survives_json(self, settings):
        report = judge(worlds.policy(0.85, 0.02), settings)
        assert GateReport.from_json(report.to_json()) == report

    def test_the_same_input_gives_the_same_bits(self, settings):
        assert judge(worlds.policy(0.85, 0.02), settings).to_json() == judge(worlds.policy(0.85, 0.02), settings).to_json()

    def test_nothing_hosted_compares_with_what_was_logged(self, settings):
        log, (candidate,) = worlds.log(2000, LOGGING, np.random.default_rng(0), worlds.policy(0.9, 0.02))
        report = evaluate(log, candidate, None, settings, None, 0)
        assert report.passed
        assert report.hosted is None
        assert report.difference.value == pytest.approx(report.candidate["dr"].value - report.logged.value)

    def test_units_of_reward_do_not_change_the_verdict(self, settings):
        log, (candidate, hosted) = worlds.log(800, LOGGING, np.random.default_rng(1), worlds.policy(0.75, 0.02), HOSTED)
        cents = dataclasses.replace(log, reward=100 * log.reward - 50)
        plain = evaluate(log, candidate, hosted, settings, (0, 1), 0)
        moved = evaluate(cents, candidate, hosted, settings, (-50, 50), 0)
        assert plain.verdict == moved.verdict
        assert moved.difference.value == pytest.approx(100 * plain.difference.value)


ONLY_NINE = np.where(np.arange(worlds.N_ARMS) < 9, 1 / 9, 0.0)


def never_nine(n, generator):
    """A log in which arm 9 was impossible; and how its distribution was recorded."""
    log, _ = worlds.log(n, worlds.Policy(np.tile(ONLY_NINE, (1797, 1)), 0.1), generator)
    return log


class TestZeroSupport:
    """The 2019 system gave a policy whose actions were never logged a perfect score."""

    @pytest.mark.parametrize("settings", [NO_HARM, STRICT], ids=["no_harm", "strict"])
    @pytest.mark.parametrize("n", [1, 2, 5, 10, 20, 50, 100, 500, 2000])
    @pytest.mark.parametrize("reward", [0.0, -1.0, None], ids=["all 0", "all -1", "as it was"])
    @pytest.mark.parametrize("known", [True, False], ids=["pmf logged", "pmf unknown"])
    @pytest.mark.parametrize("floor", [0.0, 0.02, 0.2])
    def test_an_action_never_logged_is_never_promoted(self, settings, n, reward, known, floor):
        log = never_nine(n, np.random.default_rng(n))
        log = log if reward is None else dataclasses.replace(log, reward=np.full(n, reward))
        log = log if known else dataclasses.replace(log, pmf=np.full(len(log.pmf), np.nan))
        candidate = np.tile(worlds.always(9, floor).pmf[0], n)
        for hosted in (None, log.pmf if known else np.tile(ONLY_NINE, n)):
            report = evaluate(log, candidate, hosted, settings, None, 0)
            assert report.verdict in ("insufficient_support", "insufficient_data")
            if n >= (500 if settings is STRICT else 10):
                assert report.verdict == "insufficient_support"

    @pytest.mark.parametrize("n", [10, 100, 1000])
    def test_a_floor_that_never_took_the_action_is_no_support_either(self, n):
        """Arm 9 had probability .002, and by chance (.13 at n = 1,000) it was not taken once."""
        log, (candidate,) = worlds.log(n, worlds.always(0, floor=0.02), np.random.default_rng(0), worlds.always(9, 0.02))
        arm_nine = log.action == 9
        log, candidate = log.take(~arm_nine), candidate.reshape(-1, worlds.N_ARMS)[~arm_nine].ravel()
        assert evaluate(log, candidate, None, NO_HARM, (0, 1), 0).verdict == "insufficient_support"

    @pytest.mark.parametrize("n", [10, 100, 1000])
    def test_a_deterministic_log_supports_only_itself(self, n):
        """Every arm was logged somewhere, but never where the candidate would take it."""
        right, wrong = worlds.policy(1.0, 0.0), worlds.policy(0.0, 0.0)
        log, (shifted, same) = worlds.log(n, right, np.random.default_rng(0), wrong, right)
        assert evaluate(log, shifted, None, NO_HARM, (0, 1), 0).verdict == "insufficient_support"
        assert evaluate(log, same, None, NO_HARM, (0, 1), 0).verdict == "promote"

    @pytest.mark.parametrize("n", [10, 100, 2000])
    def test_items_that_come_and_go_need_overlap(self, n):
        """The log took each event's first item with .999; the candidate takes the second."""
        actions = [ActionSet((f"a{i}", f"b{i}"), None, b"") for i in range(n)]
        log = worlds.interactions(np.tile([0.999, 0.001], (n, 1)), np.zeros(n, dtype=int), np.ones(n), actions=actions)
        assert evaluate(log, np.tile([0.01, 0.99], n), log.pmf, NO_HARM, (0, 1), 0).verdict == "insufficient_support"

    def test_only_the_rule_always_promotes_it(self):
        log = never_nine(100, np.random.default_rng(0))
        report = evaluate(log, np.tile(worlds.always(9).pmf[0], 100), log.pmf, ALWAYS, None, 0)
        assert report.passed
        assert not rule(report, "logged_actions").passed


class TestNoHarm:
    def test_a_tiny_hold_out_does_not_hold_learning_up(self):
        promoted = [judge(worlds.policy(0.75, 0.02, seed=1), NO_HARM, n=20, seed=seed).passed for seed in range(40)]
        assert np.mean(promoted) >= 0.9

    def test_harm_on_a_hundred_events_is_seen(self):
        """A drop of .59; seen 98 times in 100 in 100 repetitions apart from these."""
        kept = [judge(worlds.policy(0.1, 0.02), NO_HARM, n=100, seed=seed).verdict == "keep" for seed in range(40)]
        assert np.mean(kept) >= 0.9

    def test_a_retrained_model_that_decides_alike_is_promoted(self):
        report = judge(HOSTED, NO_HARM)
        assert report.passed
        assert "same policy in effect" in report.summary

    def test_a_small_loss_is_kept_out_once_the_interval_is_tight(self):
        report = judge(worlds.policy(0.67, 0.02), NO_HARM, n=8000)
        assert report.verdict == "keep"

    def test_a_large_change_that_the_floor_has_not_yet_explored_is_promoted(self):
        """What learning early looks like: every decision changes, each possible under the log's floor, none ruled out by data."""
        report = judge(worlds.policy(0.9, 0.02), NO_HARM, n=150, logging=worlds.policy(0.3, 0.1), hosted=worlds.policy(0.3, 0.02))
        assert report.passed

    def test_its_interval_is_for_one_look_unless_the_settings_say_otherwise(self):
        candidate = worlds.policy(0.65, 0.02)
        default, once, sequence = (judge(candidate, GateSettings(interval=interval)) for interval in (None, "normal", "sequence"))
        assert default == once
        assert sequence.difference.upper > once.difference.upper

    def test_fewer_than_ten_events_say_nothing(self):
        report = judge(worlds.policy(0.9, 0.02), NO_HARM, n=9)
        assert report.verdict == "insufficient_data"
        assert "9 held-out events" in report.summary


class TestStrict:
    def test_too_few_events_are_insufficient_data(self):
        report = judge(worlds.policy(0.95, 0.02), STRICT, n=499)
        assert (report.verdict, report.n) == ("insufficient_data", 499)

    def test_too_small_an_effective_sample_is_insufficient_support(self):
        logging = worlds.policy(0.3, 0.05)
        report = judge(worlds.policy(0.9, 0.02), STRICT, n=600, logging=logging, hosted=logging)
        assert report.verdict == "insufficient_support"
        assert not rule(report, "ess").passed

    def test_the_margin_must_be_exceeded(self):
        lower = judge(worlds.policy(0.85, 0.02), STRICT).difference.lower
        for margin, verdict in ((lower - 0.01, "promote"), (lower + 0.01, "keep")):
            assert judge(worlds.policy(0.85, 0.02), GateSettings(rule="strict", margin=margin)).verdict == verdict

    def test_its_interval_is_for_any_number_of_looks_unless_the_settings_say_one(self):
        once, sequence = GateSettings(rule="strict", interval="normal"), GateSettings(rule="strict", interval="sequence")
        default, wide, narrow = (judge(worlds.policy(0.85, 0.02), settings).difference for settings in (STRICT, sequence, once))
        assert default == wide
        assert wide.upper - wide.lower == pytest.approx(1.55 * (narrow.upper - narrow.lower), rel=0.01)
        assert "however often one looks" in rule(judge(HOSTED, sequence), "better").sentence

    def test_the_lower_bound_by_empirical_likelihood_must_not_fall_far_short_of_what_is_hosted(self):
        candidate = worlds.policy(0.8, 0.02)
        for tolerance, verdict in ((0.0, "insufficient_support"), (0.1, "promote")):
            report = judge(candidate, GateSettings(rule="strict", cressie_read_tolerance=tolerance), seed=2)
            assert report.verdict == verdict
            applied = rule(report, "lower_bound")
            assert applied.number == report.candidate["cressie_read"].lower
            assert applied.threshold == pytest.approx(report.hosted["dr"].value - tolerance)

    def test_an_identical_policy_is_kept_out_however_rounding_falls(self):
        log, (hosted,) = worlds.log(2000, LOGGING, np.random.default_rng(0), HOSTED)
        rounded = (hosted.astype(np.float32).astype(float).reshape(-1, 10)).copy()
        candidate = (rounded / rounded.sum(axis=1, keepdims=True)).ravel()
        report = evaluate(log, candidate, hosted, STRICT, (0, 1), 0)
        assert report.verdict == "keep"
        assert not rule(report, "not_the_same").passed

    def test_wrong_logged_probabilities_show_in_the_mean_weight(self):
        log, (candidate, hosted) = worlds.log(2000, LOGGING, np.random.default_rng(0), worlds.policy(0.85, 0.02), HOSTED)
        halved = dataclasses.replace(log, probability=log.probability / 2, pmf=np.full(len(log.pmf), np.nan))
        report = evaluate(halved, candidate, hosted, STRICT, (0, 1), 0)
        assert report.verdict == "insufficient_support"
        assert not rule(report, "mean_weight").passed


def test_ips_is_used_where_the_settings_ask_for_it():
    report = judge(worlds.policy(0.85, 0.02), GateSettings(estimator="ips"))
    assert report.difference.value == pytest.approx(report.candidate["ips"].value - report.hosted["ips"].value)


def test_always_promotes_even_without_an_event():
    report = judge(worlds.policy(0.1, 0.02), ALWAYS, n=1)
    assert report.passed
    assert report.summary


@pytest.mark.parametrize("settings", [NO_HARM, STRICT, ALWAYS])
@pytest.mark.parametrize("n", [2, 10, 600])
def test_every_rule_says_its_number_its_threshold_and_a_sentence(settings, n):
    for applied in judge(worlds.policy(0.8, 0.02), settings, n=n).rules:
        assert np.isfinite([applied.number, applied.threshold]).all()
        assert applied.sentence.endswith(".")


@pytest.mark.parametrize("n", [2, 10, 600])
def test_a_constant_reward_gives_a_difference_of_nothing(n):
    log, (candidate, hosted) = worlds.log(n, LOGGING, np.random.default_rng(0), worlds.policy(0.8, 0.02), HOSTED)
    report = evaluate(dataclasses.replace(log, reward=np.full(n, 0.3)), candidate, hosted, NO_HARM, None, 0)
    assert report.difference.value == pytest.approx(0.0, abs=1e-12)
    assert report.candidate["dr"].value == pytest.approx(0.3)
