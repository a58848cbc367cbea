"""The Vowpal Wabbit policy: distributions, purity, saving, resuming, refusing what is corrupt."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rewardloop.actions import fixed_actions
from rewardloop.errors import CorruptModel, InvalidSettings
from rewardloop.interactions import Interactions
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings import ExperimentSettings
from vw_worlds import ARMS, EXPLORATIONS, events, featured, halves, settings


def trained(exploration: str, logged: Interactions, **learner: object) -> VowpalWabbitPolicy:
    policy = VowpalWabbitPolicy.new(settings(exploration, **learner), seed=3)
    policy.learn(logged)
    return policy


def answers(policy: VowpalWabbitPolicy, asked: Interactions) -> list[list[float]]:
    return [list(policy.pmf(*pair)) for pair in zip(asked.contexts, asked.actions, strict=True)]


def reloaded(policy: VowpalWabbitPolicy, directory: Path) -> VowpalWabbitPolicy:
    policy.save(directory)
    return VowpalWabbitPolicy.load(directory)


@pytest.mark.parametrize("exploration", EXPLORATIONS)
@pytest.mark.parametrize("with_features", [False, True])
def test_a_trained_policy_answers_with_a_distribution_and_the_same_one_again(exploration: str, with_features: bool) -> None:
    logged, asked = halves(events(240, with_features=with_features), 200)
    policy = trained(exploration, logged)
    first = answers(policy, asked)
    assert answers(policy, asked) == first
    assert all(min(pmf) >= 0 and sum(pmf) == pytest.approx(1, abs=1e-9) for pmf in first)
    assert len({tuple(pmf) for pmf in first}) > 1
    assert policy.pmf_many(asked.contexts, asked.actions).tolist() == [p for pmf in first for p in pmf]


@pytest.mark.parametrize("exploration", EXPLORATIONS)
@pytest.mark.parametrize("cb_type", ["mtr", "dr"])
def test_a_saved_policy_answers_the_same(exploration: str, cb_type: str, tmp_path: Path) -> None:
    if cb_type == "dr" and exploration in ("squarecb", "regcb", "regcbopt"):
        pytest.skip("mtr only")
    logged, asked = halves(events(240), 200)
    policy = trained(exploration, logged, cb_type=cb_type)
    again = reloaded(policy, tmp_path)
    assert np.allclose(answers(again, asked), answers(policy, asked), atol=1e-6)
    assert again.n_learned == policy.n_learned == 200


@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_a_fresh_policy_is_uniform_saved_or_not(exploration: str, tmp_path: Path) -> None:
    fresh = VowpalWabbitPolicy.new(settings(exploration), seed=0)
    assert fresh.pmf({"age": 31.0}, ARMS) == [0.25] * 4
    assert reloaded(fresh, tmp_path).pmf({"age": 31.0}, ARMS) == [0.25] * 4


def test_the_seed_and_the_order_decide_everything() -> None:
    logged, asked = halves(events(240), 200)
    same = [answers(trained("bag", logged), asked) for _ in range(2)]
    other = VowpalWabbitPolicy.new(settings("bag"), seed=4)
    other.learn(logged)
    assert same[0] == same[1] != answers(other, asked)


def test_one_event_of_one_action_is_enough() -> None:
    policy = trained("regcbopt", events(1))
    assert policy.pmf({}, fixed_actions(["only"])) == [1.0]
    policy.learn(events(0))
    assert policy.n_learned == 1


def test_relearning_moves_weights_and_no_statistics(tmp_path: Path) -> None:
    logged, asked = halves(events(240), 200)
    policy = trained("softmax", logged)
    before, statistics = answers(policy, asked), policy.statistics()
    policy.relearn(logged)
    assert policy.statistics() == statistics
    assert answers(policy, asked) != before


def test_relearning_comes_after_learning() -> None:
    policy = VowpalWabbitPolicy.new(settings(), seed=0)
    policy.relearn(events(20))
    assert policy.pmf({}, ARMS) == [0.25] * 4


@pytest.mark.parametrize("exploration", ["squarecb", "regcb", "regcbopt"])
def test_numbers_of_vowpal_wabbit_that_are_no_distribution_become_one(exploration: str) -> None:
    policy = trained(exploration, events(1))
    for offered in (ARMS, fixed_actions(["new", "newer", "newest"])):
        pmf = policy.pmf({"unseen": 1.0}, offered)
        assert min(pmf) >= 0
        assert sum(pmf) == pytest.approx(1, abs=1e-9)


def test_a_context_too_long_to_be_crossed_is_learned_and_served(tmp_path: Path) -> None:
    policy = trained("regcbopt", events(50))
    long = {f"f{i}": float(i % 7) for i in range(3_000)}
    first = list(policy.pmf(long, ARMS))
    assert list(policy.pmf(long, ARMS)) == first
    short = list(policy.pmf({"age": 3.0}, ARMS))
    assert list(reloaded(policy, tmp_path).pmf(long, ARMS)) == first
    assert list(policy.pmf({"age": 3.0}, ARMS)) == short


def test_actions_that_change_every_time_do_not_disturb_each_other() -> None:
    logged = events(200, with_features=True)
    policy = trained("softmax", logged)
    generator = np.random.default_rng(1)
    sets = [featured(generator, n) for n in generator.integers(1, 400, 12).tolist()]
    first = [list(policy.pmf({"age": 50.0}, offered)) for offered in sets]
    for _ in range(2):
        assert [list(policy.pmf({"age": 50.0}, offered)) for offered in sets] == first


@pytest.mark.parametrize("exploration", ["squarecb", "regcb", "regcbopt"])
@pytest.mark.parametrize("cb_type", ["dr", "ips", "dm", "sm"])
def test_confidence_needs_mtr(exploration: str, cb_type: str) -> None:
    with pytest.raises(InvalidSettings, match="`mtr`, got"):
        VowpalWabbitPolicy.new(settings(exploration, cb_type=cb_type), seed=0)


@pytest.mark.parametrize("exploration", EXPLORATIONS)
@pytest.mark.parametrize("cb_type", ["mtr", "dr", "ips", "dm", "sm"])
def test_whatever_is_accepted_learns(exploration: str, cb_type: str) -> None:
    try:
        policy = trained(exploration, events(20), cb_type=cb_type)
    except InvalidSettings:
        return
    assert sum(policy.pmf({"age": 31.0}, ARMS)) == pytest.approx(1)


@pytest.mark.parametrize("arguments", ["--nonsense 3", "-f /tmp/x", "-b20", "--cb_type=ips", "--initial_regressor x", "'"])
def test_arguments_that_would_break_the_contract_are_refused(arguments: str) -> None:
    with pytest.raises(InvalidSettings, match=r"\$\.policy\.learner\.arguments"):
        VowpalWabbitPolicy.new(settings(arguments=arguments), seed=0)


def test_further_arguments_reach_the_learner() -> None:
    logged, asked = halves(events(240), 200)
    plain, regularised = trained("softmax", logged), trained("softmax", logged, arguments="--l2 0.1")
    assert answers(plain, asked) != answers(regularised, asked)


@pytest.mark.parametrize("name", ["policy.json", "vw.json", "weights.vw"])
@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "empty"])
def test_a_damaged_model_is_refused(name: str, damage: str, tmp_path: Path) -> None:
    trained("regcbopt", events(50)).save(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        path.write_bytes(bytes([content[0] ^ 0xFF]) + content[1:])
    else:
        path.write_bytes(b"")
    with pytest.raises(CorruptModel):
        VowpalWabbitPolicy.load(tmp_path)


def test_a_model_holds_plain_files_that_say_how_it_was_made(tmp_path: Path) -> None:
    trained("regcbopt", events(50)).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["policy.json", "vw.json", "weights.vw"]
    told = msgspec.json.decode((tmp_path / "vw.json").read_bytes())
    assert told["settings"]["experiment"] == "offers"
    assert told["statistics"]["n_learned"] == 50


def test_auto_crosses_short_contexts_only() -> None:
    def crossed(policy: VowpalWabbitPolicy) -> int | None:
        return policy.statistics().crossed

    wide = events(3)
    wide = in_contexts(wide, [{f"f{i}": float(i) for i in range(65)}] * 3)
    assert crossed(trained("regcbopt", events(3))) == 128
    assert crossed(trained("regcbopt", wide)) == 0
    assert crossed(trained("regcbopt", wide, interactions="quadratic")) == 1_024
    assert crossed(trained("regcbopt", events(3), interactions="none")) == 0


def in_contexts(logged: Interactions, contexts: list[dict[str, float | str]]) -> Interactions:
    """The same events in other contexts."""
    rest = (logged.action, logged.probability, logged.reward, logged.pmf, logged.offsets, logged.sample_prob, logged.closed_at)
    return Interactions(logged.event_ids, contexts, logged.actions, *rest)


def test_the_2019_settings_open() -> None:
    for exploration in ("egreedy", "bag", "cover"):
        for cb_type in ("dr", "ips"):
            made = VowpalWabbitPolicy.new(settings(exploration, cb_type=cb_type), seed=0)
            assert isinstance(made, VowpalWabbitPolicy)


def test_native_engines_are_not_for_this_file() -> None:
    with pytest.raises(InvalidSettings, match="lints"):
        VowpalWabbitPolicy.new(ExperimentSettings(experiment="offers", actions=("a", "b")), seed=0)


def test_threads_share_a_policy() -> None:
    logged = events(300, with_features=True)
    policy = trained("regcbopt", logged)
    expected = answers(policy, logged)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: answers(policy, logged), range(8))) == [expected] * 8


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from vw_worlds import ARMS, events, settings
from rewardloop.errors import StorageUnavailable
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
policy = VowpalWabbitPolicy.new(settings(), 0)
policy.learn(events(300))
before = policy.pmf({}, ARMS)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    policy.save(Path(sys.argv[1]))
except StorageUnavailable as error:
    assert policy.pmf({}, ARMS) == before
    print("told")
"""


def test_a_full_disk_is_told_and_the_policy_serves_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "told"), done.stderr
