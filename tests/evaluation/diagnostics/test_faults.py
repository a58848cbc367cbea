"""Each fault is planted in a clean log, found, and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from bandit_worlds import interactions
from observed_logs import HOUR, clean_interactions, drawn, observed, with_columns
from rewardloop.actions import fixed_actions
from rewardloop.clock import SECOND
from rewardloop.evaluation.diagnostics import Diagnosis, Finding, diagnose
from rewardloop.interactions import Interactions
from rewardloop.lake import Ledger
from rewardloop.lake.observed import Observed, Refused

N = 2_000


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def finding(found: Diagnosis, check: str) -> Finding:
    (one,) = [each for each in found.findings if each.check == check]
    return one


def test_a_clean_log_has_nothing_wrong(generator: np.random.Generator) -> None:
    found = diagnose(observed(clean_interactions(generator, N, signal=0.5), generator))
    assert [each for each in found.findings if each.severity != "ok"] == []
    assert (found.severity, found.failed, found.n, found.n_usable) == ("ok", False, N, N)
    assert found.learnability is not None
    assert found.learnability.learnable


def test_the_same_log_gives_the_same_bits(generator: np.random.Generator) -> None:
    log = observed(clean_interactions(generator, 500), generator)
    assert msgspec.json.encode(diagnose(log)) == msgspec.json.encode(diagnose(log))


def spoiled(log: Interactions, **columns: tuple[list[int], Any]) -> Interactions:
    """The log with some entries of some columns set."""
    changed = {name: getattr(log, name).copy() for name in columns}
    for name, (rows, value) in columns.items():
        changed[name][rows] = value
    return with_columns(log, **changed)


ROWS = [3, 5, 8]
UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"probability": (ROWS, 0.0)}, "not in (0, 1]"),
    ({"probability": (ROWS, 1.5)}, "not in (0, 1]"),
    ({"probability": (ROWS, np.nan)}, "no probability was logged"),
    ({"reward": (ROWS, np.nan)}, "reward is missing"),
    ({"reward": (ROWS, np.inf)}, "not finite"),
    ({"reward": (ROWS, 1e200)}, "beyond ±1e30"),
    ({"probability": (ROWS, 1e-300), "pmf": ([4 * row + k for row in ROWS for k in range(4)], np.nan)}, "below 1e-12"),
    ({"pmf": ([4 * row for row in ROWS] + [4 * row + 1 for row in ROWS], 0.9)}, "does not sum to 1"),
    ({"action": (ROWS, 9)}, "not offered"),
]


@pytest.mark.parametrize(("fault", "named"), UNUSABLE, ids=[f"{next(iter(fault))}-{said}" for fault, said in UNUSABLE])
def test_rows_that_cannot_be_used_are_counted_and_named(generator: np.random.Generator, fault: Any, named: str) -> None:
    found = diagnose(observed(spoiled(clean_interactions(generator, N), **fault), generator))
    rows = finding(found, "rows")
    assert rows.severity == "error"
    assert named in rows.sentence
    assert "3 of 2,000" in rows.sentence
    assert "`e3`, `e5`, `e8`" in rows.sentence
    assert (found.n_usable, rows.numbers["left_out"]) == (N - 3, 3)


def test_one_bad_row_in_many_is_a_warning(generator: np.random.Generator) -> None:
    found = diagnose(observed(spoiled(clean_interactions(generator, N), probability=([4], 0.0)), generator))
    assert finding(found, "rows").severity == "warning"


def test_rows_of_a_file_that_were_refused_are_told_with_their_lines(generator: np.random.Generator) -> None:
    refused = {"Expected a probability above 0 - at `$.probability`": Refused(40, (2, 9, 11))}
    rows = finding(diagnose(observed(clean_interactions(generator, N), generator, refused=refused)), "rows")
    assert rows.severity == "error"
    assert "40 of 2,040" in rows.sentence
    assert "line 2, line 9, line 11" in rows.sentence


@pytest.mark.parametrize(("n", "severity"), [(0, "error"), (1, "error"), (30, "warning")])
def test_too_little(generator: np.random.Generator, n: int, severity: str) -> None:
    whole = clean_interactions(generator, 30)
    found = diagnose(observed(whole.take(np.arange(n)), generator))
    assert finding(found, "events").severity == severity
    assert found.learnability is None


def half_sure(generator: np.random.Generator, n: int) -> Interactions:
    """Logged with an epsilon of .4, drawn with one of .2."""
    log = clean_interactions(generator, n, floor=0.2)
    greedy = log.pmf.reshape(-1, 4) > 0.5
    said = np.where(greedy, 0.7, 0.1)
    return with_columns(log, pmf=said.ravel(), probability=said[np.arange(n), log.action])


def shifted_actions(generator: np.random.Generator, n: int) -> Interactions:
    """Distributions logged one arm off."""
    log = clean_interactions(generator, n)
    said = np.roll(log.pmf.reshape(-1, 4), 1, axis=1)
    return with_columns(log, pmf=said.ravel(), probability=said[np.arange(n), log.action])


def filtered(generator: np.random.Generator, n: int) -> Interactions:
    """Two in three decisions for arm 2 never reach the log."""
    log = clean_interactions(generator, 2 * n)
    return log.take(np.flatnonzero((log.action != 2) | (generator.random(2 * n) < 1 / 3))[:n])


@pytest.mark.parametrize("wrong", [half_sure, shifted_actions, filtered])
def test_probabilities_that_do_not_fit_the_frequencies(
    generator: np.random.Generator, wrong: Callable[[np.random.Generator, int], Interactions]
) -> None:
    calibrated = finding(diagnose(observed(wrong(generator, N), generator)), "calibration")
    assert calibrated.severity == "error"
    assert "not taken as often" in calibrated.sentence
    assert "was taken" in calibrated.sentence or "were taken" in calibrated.sentence


def test_probabilities_alone_are_checked_in_one_direction(generator: np.random.Generator) -> None:
    log = clean_interactions(generator, N)
    alone = with_columns(log, pmf=np.full_like(log.pmf, np.nan))
    assert finding(diagnose(observed(alone, generator)), "calibration").severity == "note"
    small = with_columns(alone, probability=log.probability * 0.7)
    assert "too small" in finding(diagnose(observed(small, generator)), "calibration").sentence


def test_a_log_without_distributions_that_says_uniform_is_held_to_it(generator: np.random.Generator) -> None:
    action = drawn(np.tile([0.4, 0.3, 0.3], (N, 1)), generator)
    log = interactions(np.full((N, 3), 1 / 3), action, generator.random(N))
    told = finding(diagnose(observed(with_columns(log, pmf=np.full_like(log.pmf, np.nan)), generator)), "calibration")
    assert told.severity == "error"
    assert "`0` was taken" in told.sentence


def test_a_log_that_does_not_explore(generator: np.random.Generator) -> None:
    pmf = np.tile([1.0, 0.0, 0.0], (N, 1))
    found = diagnose(observed(interactions(pmf, np.zeros(N, int), generator.random(N)), generator))
    assert finding(found, "exploration").severity == "error"
    assert finding(found, "rare_actions").severity == "warning"
    assert "`1` 0 of 2,000" in finding(found, "rare_actions").sentence
    assert found.learnability is not None
    assert not found.learnability.learnable


def test_requests_without_exploration_are_noted(generator: np.random.Generator) -> None:
    log = observed(clean_interactions(generator, N), generator, explored=generator.random(N) > 0.25)
    told = finding(diagnose(log), "exploration")
    assert told.severity == "note"
    assert "asked for without exploration" in told.sentence


def test_little_overlap_and_one_heavy_event(generator: np.random.Generator) -> None:
    pmf = np.tile([0.9995, 0.0005], (N, 1))
    action = np.zeros(N, int)
    action[77] = 1
    found = diagnose(observed(interactions(pmf, action, generator.random(N)), generator))
    assert finding(found, "overlap").severity == "warning"
    heavy = finding(found, "weight_tail")
    assert heavy.severity == "warning"
    assert "`e77`" in heavy.sentence


def test_events_lost_after_the_decision_shift_the_split(generator: np.random.Generator) -> None:
    log = clean_interactions(generator, 2 * N)
    kept = log.take(np.flatnonzero((log.sample_prob > 0.8) | (generator.random(2 * N) < 0.7))[:N])
    told = finding(diagnose(observed(kept, generator)), "sample_ratio")
    assert told.severity == "error"
    assert "train, and 80.0% should" in told.sentence


def test_repeated_events(generator: np.random.Generator) -> None:
    rows = np.concatenate([np.arange(N), np.arange(40, 90)])
    told = finding(diagnose(observed(clean_interactions(generator, N).take(rows), generator)), "duplicates")
    assert told.severity == "error"
    assert "50 of 2,050 rows repeat an event: `e40` 2×" in told.sentence


def live(generator: np.random.Generator, **fields: Any) -> Observed:
    return observed(clean_interactions(generator, N), generator, **fields)


def test_rewards_stamped_before_their_decision(generator: np.random.Generator) -> None:
    log = live(generator)
    early = np.where(np.arange(N) % 20 == 3, log.decided_at - 60 * SECOND, log.rewarded_at)
    told = finding(diagnose(replace(log, rewarded_at=early)), "clock_skew")
    assert told.severity == "error"
    assert "100 rewards are stamped before their decision (first: `e3`)" in told.sentence


def test_a_file_out_of_order(generator: np.random.Generator) -> None:
    log = live(generator)
    told = finding(
        diagnose(replace(log, ledger=None, decided_at=generator.permutation(log.decided_at), rewarded_at=np.full(N, -1))),
        "clock_skew",
    )
    assert told.severity == "warning"
    assert "times go back" in told.sentence


def test_a_window_too_short_for_the_rewards(generator: np.random.Generator) -> None:
    log = live(generator)
    delays = np.minimum(generator.exponential(HOUR / 2, N), HOUR - 1).astype(np.int64)
    told = finding(diagnose(replace(log, rewarded_at=log.decided_at + delays)), "late_rewards")
    assert told.severity == "warning"
    assert "last tenth of the window" in told.sentence


LEDGERS = [
    (Ledger(decisions=N, rewards_received=1_000, rewards_late=50), "late_rewards", "warning", "5.0% of rewards came after"),
    (Ledger(decisions=N, rewards_received=1_000, rewards_late=300), "late_rewards", "error", "30.0% of rewards came after"),
    (Ledger(decisions=N, rewards_received=1_000, rewards_orphan=50), "lost_rewards", "warning", "for no decision of this log"),
    (Ledger(decisions=N, closed=N, defaulted=N), "lost_rewards", "warning", "100.0% of decisions got no reward"),
    (Ledger(decisions=N, duplicate_decisions=9), "duplicates", "note", "9 decisions repeated an event id"),
]


@pytest.mark.parametrize(("ledger", "check", "severity", "said"), LEDGERS)
def test_what_the_ledger_tells(generator: np.random.Generator, ledger: Ledger, check: str, severity: str, said: str) -> None:
    told = finding(diagnose(live(generator, ledger=ledger)), check)
    assert told.severity == severity
    assert said in told.sentence


def test_the_youngest_events_are_the_rewarded_ones(generator: np.random.Generator) -> None:
    log = live(generator, ledger=Ledger(decisions=N + 500, closed=N, with_reward=N, open=500))
    young = replace(log, settled_until=int(log.decided_at[1_500]))
    told = finding(diagnose(young), "young_events")
    assert told.severity == "warning"
    assert "499 of 2,000 events were decided within the last reward window" in told.sentence


def test_young_events_do_not_look_like_drift(generator: np.random.Generator) -> None:
    """Of the last half only the rewarded events have closed."""
    whole = clean_interactions(generator, N, floor=1.0)
    rows = np.flatnonzero((np.arange(N) < 1_000) | (whole.reward > 0))
    log = observed(whole, generator)
    young = replace(
        log,
        interactions=whole.take(rows),
        **{name: getattr(log, name)[rows] for name in ("decided_at", "rewarded_at", "explored")},
        model_ids=["offers.1"] * len(rows),
    )
    assert finding(diagnose(young), "reward_drift").severity == "warning"
    assert (
        finding(diagnose(replace(young, settled_until=int(log.decided_at[999]), ledger=Ledger(open=600))), "reward_drift").severity
        == "ok"
    )


LATER = np.arange(N) >= N // 2
MOVED: list[tuple[Callable[[int, dict[str, Any]], dict[str, Any]], str]] = [
    (lambda i, context: {**context, "x": context["x"] + 0.5 * LATER[i]}, "`x`"),
    (lambda i, context: {**context, "word": "a" if LATER[i] and i % 3 == 0 else context["word"]}, "`word`"),
    (lambda i, context: {"word": context["word"]} if LATER[i] and i % 5 == 0 else context, "`x`"),
    (lambda i, context: {**context, "new": 1.0} if LATER[i] else context, "`new`"),
]


@pytest.mark.parametrize(("moved", "named"), MOVED)
def test_contexts_that_move(generator: np.random.Generator, moved: Any, named: str) -> None:
    log = clean_interactions(generator, N)
    contexts = [moved(i, dict(context)) for i, context in enumerate(log.contexts)]
    told = finding(diagnose(observed(with_columns(log, contexts=contexts), generator)), "context_drift")
    assert told.severity == "warning"
    assert f"1 of {3 if named == '`new`' else 2} features moved" in told.sentence
    assert named in told.sentence


def test_a_reward_that_moves(generator: np.random.Generator) -> None:
    log = clean_interactions(generator, N)
    reward = np.where(LATER & (log.action == 2), 1.0, log.reward)
    told = finding(diagnose(observed(with_columns(log, reward=reward), generator)), "reward_drift")
    assert told.severity == "warning"
    assert "`2`" in told.sentence


def test_a_policy_that_changes_is_no_drift_of_rewards(generator: np.random.Generator) -> None:
    """The second half chooses what suits, the first at random: the mean reward rises, the actions' worth does not."""
    first, second = clean_interactions(generator, N, floor=1.0), clean_interactions(generator, N, floor=0.4)
    both = Interactions.concatenated([first, second])
    assert second.reward.mean() - first.reward.mean() > 0.05
    assert (
        finding(
            diagnose(observed(with_columns(both, event_ids=[f"e{i}" for i in range(2 * N)]), generator)), "reward_drift"
        ).severity
        == "ok"
    )


VALUES = [
    (lambda reward: np.zeros(len(reward)), "error", "Every reward is 0."),
    (lambda reward: reward * 3, "error", "outside the declared [0, 1]"),
    (lambda reward: np.where(np.arange(len(reward)) == 9, 1.5, reward), "warning", "1 rewards are outside"),
]


@pytest.mark.parametrize(("values", "severity", "said"), VALUES)
def test_rewards_of_another_kind(generator: np.random.Generator, values: Any, severity: str, said: str) -> None:
    log = clean_interactions(generator, N)
    told = finding(diagnose(observed(with_columns(log, reward=values(log.reward)), generator)), "reward_values")
    assert told.severity == severity
    assert said in told.sentence


def test_one_reward_that_owns_the_mean(generator: np.random.Generator) -> None:
    log = clean_interactions(generator, N)
    wild = with_columns(log, reward=np.where(np.arange(N) == 9, 1e6, log.reward))
    told = finding(diagnose(observed(wild, generator, reward_range=None)), "reward_values")
    assert told.severity == "warning"
    assert "`e9`" in told.sentence


def test_experiments_mixed_into_one_log(generator: np.random.Generator) -> None:
    log = clean_interactions(generator, N)
    named = finding(diagnose(observed(log, generator, experiments={"offers": 1_200, "banners": 800})), "one_experiment")
    assert (named.severity, "`offers` (1,200), `banners` (800)" in named.sentence) == ("error", True)
    other = fixed_actions(["w", "x", "y", "z"])
    mixed = with_columns(log, actions=[other if i % 2 else actions for i, actions in enumerate(log.actions)])
    apart = finding(diagnose(observed(mixed, generator)), "one_experiment")
    assert apart.severity == "warning"
    assert "1,000 events on `w`, `x`, `y` …" in apart.sentence


def test_actions_that_come_and_go_are_one_experiment(generator: np.random.Generator) -> None:
    log = clean_interactions(generator, N)
    sets = [fixed_actions([f"news {i + k}" for k in range(4)]) for i in range(20)]
    rolling = with_columns(log, actions=[sets[i * 20 // N] for i in range(N)])
    assert finding(diagnose(observed(rolling, generator)), "one_experiment").severity == "ok"


def test_several_models_are_a_note_and_dropped_events_a_warning(generator: np.random.Generator) -> None:
    log = live(generator, model_ids=["offers.1"] * 1_500 + ["offers.2"] * 500)
    assert finding(diagnose(log), "models").severity == "note"
    assert "`offers.1` 75%" in finding(diagnose(log), "models").sentence
    assert finding(diagnose(replace(log, thinned=10)), "models").severity == "warning"


def test_every_fault_says_what_it_biases_and_what_to_do(generator: np.random.Generator) -> None:
    pmf = np.tile([1.0, 0.0, 0.0], (N, 1))
    bad = observed(interactions(pmf, np.zeros(N, int), np.zeros(N)), generator, train_ratio=0.1, ledger=Ledger(defaulted=N))
    wrong = [each for each in diagnose(bad).findings if each.severity in ("warning", "error")]
    assert len(wrong) >= 4
    assert all(each.consequence and each.remedy and each.sentence.endswith(".") for each in wrong)
    assert all(np.isfinite(list(each.numbers.values())).all() for each in diagnose(bad).findings)
