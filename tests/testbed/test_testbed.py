"""The testbed: learners learn, uniform does not, replays are unbiased, and a killed run carries on where it was."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from rewardloop.actions import fixed_actions
from rewardloop.errors import Corrupt, InvalidInput
from rewardloop.interactions import Interactions
from rewardloop.testbed.arms import play
from rewardloop.testbed.cell import Cell, Knobs, Row, contender, skyline_cell
from rewardloop.testbed.played import check_policies
from rewardloop.testbed.replaying import replay
from rewardloop.testbed.results import Results, read_results
from rewardloop.testbed.running import cells, run, run_cell
from rewardloop.testbed.summary import summarise
from rewardloop.worlds.catalogue import find_world
from rewardloop.worlds.logged import LoggedWorld


def ticking():
    return itertools.count().__next__


def played(policy: str, world: str, seed: int = 0, **knobs) -> Row:
    return run_cell(Cell(contender(policy), world, seed, Knobs(**{"rounds": 600, **knobs})), None)


def test_a_learner_learns_and_uniform_does_not():
    learned, uniform = played("default", "sim:static"), played("uniform", "sim:static")
    assert learned.mean_reward > uniform.mean_reward + 0.1
    assert learned.curve[-1] > learned.curve[0]
    assert uniform.best_fixed < learned.best


def test_the_same_cell_gives_the_same_rewards():
    one, again = (msgspec.structs.replace(played("regcbopt", "sim:static", 3), decide_us=0, learn_us=0) for _ in range(2))
    assert one == again
    assert one.mean_reward != played("regcbopt", "sim:static", 4).mean_reward


def test_a_reward_that_is_still_under_way_is_not_learned():
    never = played("default", "sim:static", delay=1e9)
    assert never.mean_reward == pytest.approx(played("uniform", "sim:static").mean_reward, abs=0.05)
    assert never.mean_reward < played("default", "sim:static", delay=20).mean_reward - 0.05


def test_batches_cost_something_and_still_learn():
    each, batched = played("default", "sim:static"), played("default", "sim:static", batch=100)
    assert played("uniform", "sim:static").mean_reward + 0.05 < batched.mean_reward < each.mean_reward + 0.03
    assert len(set(played("default", "sim:static", batch=600).curve)) > 1


def test_times_are_those_of_the_clock_that_is_passed():
    cell = Cell(contender("uniform"), "sim:static", 0, Knobs(rounds=100))
    row = play(cell, find_world("sim:static"), ticking())
    assert (row.decide_us, row.learn_us) == (1e6, 1e6)


def log_of(n: int, seed: int = 0) -> LoggedWorld:
    """Two arms; the second is logged with .25 and pays .8, the first .2."""
    dice = np.random.default_rng(seed)
    arms = fixed_actions(["a", "b"])
    action = (dice.random(n) < 0.25).astype(np.int64)
    reward = (dice.random(n) < np.where(action, 0.8, 0.2)).astype(np.float64)
    pmf, offsets = np.tile([0.75, 0.25], n), np.arange(0, 2 * n + 1, 2)
    probability = np.where(action, 0.25, 0.75)
    logged = Interactions(
        [str(i) for i in range(n)], [{}] * n, [arms] * n, action, probability, reward, pmf, offsets, np.zeros(n), np.arange(n)
    )
    return LoggedWorld("log", logged, arms)


def test_rankings_are_learned_and_the_best_page_for_all_is_between_random_and_the_best():
    with threadpool_limits(1):  # as the testbed's own processes have it
        learned, uniform = played("lints", "sim:cascade", rounds=150), played("uniform", "sim:cascade", rounds=150)
    assert learned.mean_reward > uniform.mean_reward + 0.05
    assert learned.curve[-1] > learned.curve[0]
    assert uniform.mean_reward < uniform.best_fixed < uniform.best < 1.0


def test_the_same_cell_shows_the_same_rankings():
    with threadpool_limits(1):
        one, again = (played("lints", "sim:cascade", rounds=20) for _ in range(2))
    assert (one.mean_reward, one.curve) == (again.mean_reward, again.curve)


@pytest.mark.parametrize("policy", ["softmax", "regcbopt"])
def test_clicks_that_are_late_are_not_learned_and_batches_are(policy):
    late = played(policy, "sim:cascade", rounds=100, delay=1e9)
    assert late.mean_reward == pytest.approx(played("uniform", "sim:cascade", rounds=100).mean_reward, abs=0.1)
    assert len(set(played(policy, "sim:cascade", rounds=100, batch=50).curve)) > 1


def test_a_policy_that_cannot_play_a_world_is_told_before_anything_runs():
    with pytest.raises(InvalidInput, match="Policy `neural` is not for `sim:cascade`: `neural` needs fixed actions"):
        check_policies([contender("default"), contender("neural")], find_world("sim:cascade"))
    check_policies([contender("neural")], find_world("sim:static"))


@pytest.mark.parametrize("how", ["rejection", "importance"])
def test_a_replay_of_uniform_estimates_what_uniform_earns(how):
    cell = Cell(contender("uniform"), "log:x", 0, Knobs(rounds=20_000, replay=how))
    row = replay(cell, log_of(20_000), ticking())
    assert row.mean_reward == pytest.approx(0.5, abs=0.03)  # 4 standard errors of the smaller sample
    assert row.n_used == 20_000 if how == "importance" else 5_000 < row.n_used < 10_000


@pytest.mark.parametrize("how", ["rejection", "importance"])
def test_a_replayed_learner_finds_the_better_arm(how):
    cell = Cell(contender("default"), "log:x", 0, Knobs(rounds=4_000, replay=how))
    assert replay(cell, log_of(4_000), ticking()).mean_reward > 0.7


def test_a_killed_run_carries_on(tmp_path):
    path, knobs = tmp_path / "results.jsonl", Knobs(rounds=200)
    wanted = cells([contender("uniform"), contender("default")], ["sim:static"], 2, knobs)
    with Results(path) as results:
        results.add(run_cell(wanted[0], None))
        results.add(run_cell(wanted[1], None))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])  # the kill came in the middle of the second line
    seen: list[Row] = []
    with Results(path) as results:
        rows = run(wanted, results, label=None, jobs=2, on_row=seen.append)
    assert len(seen) == 3
    assert [row.key for row in rows] == [cell.key for cell in wanted]
    assert rows[1].mean_reward == msgspec.json.decode(whole.splitlines()[1], type=Row).mean_reward
    with Results(path) as results:
        assert run(wanted, results, label=None, jobs=2, on_row=lambda _: pytest.fail("run again")) == rows
    assert len(read_results(path)) == 4


def test_other_settings_under_the_same_name_are_another_cell(tmp_path):
    (tmp_path / "mine.yaml").write_text("actions: 2\npolicy: {exploration: linucb, alpha: 0.5}\n")
    mine = contender(str(tmp_path / "mine.yaml"))
    (tmp_path / "mine.yaml").write_text("actions: 2\npolicy: {exploration: linucb, alpha: 0.6}\n")
    changed = contender(str(tmp_path / "mine.yaml"))
    assert mine.name == changed.name == "mine"
    assert Cell(mine, "iris", 0, Knobs()).key != Cell(changed, "iris", 0, Knobs()).key


def test_a_file_that_holds_something_else_is_left_alone(tmp_path):
    path = tmp_path / "thesis.tex"
    path.write_text("Chapter one\nChapter two\n")
    with pytest.raises(Corrupt, match="name another file"):
        Results(path)
    assert path.read_text().startswith("Chapter one\nChapter two")


def test_an_unknown_policy_is_told_with_the_nearest():
    with pytest.raises(InvalidInput, match="did you mean `linucb`"):
        contender("linucbb")


def test_the_summary_counts_every_world_alike():
    knobs = Knobs(rounds=100)
    row = run_cell(Cell(contender("uniform"), "sim:static", 0, knobs), None)
    rows = [
        msgspec.structs.replace(row, policy=policy, digest="", world=world, seed=seed, mean_reward=mean, best=1.0)
        for policy, world, seed, mean in [
            ("a", "w", 0, 0.5),
            ("a", "w", 1, 0.7),
            ("a", "v", 0, 0.2),
            ("b", "w", 0, 0.8),
            ("b", "v", 0, 0.1),
        ]
    ]
    told = msgspec.structs.replace(row, policy="skyline", world="v", mean_reward=0.4)
    found = summarise([*rows, told], knobs)
    assert [(each.policy, round(each.mean_reward, 9)) for each in found.overall] == [("b", 0.45), ("a", 0.4)]
    a = found.overall[1]
    assert (a.share, a.worst_share, a.against_best) == (pytest.approx(0.55), pytest.approx(0.5), pytest.approx(0.75))
    assert found.skylines == {"w": 1.0, "v": 0.4}
    regret = next(score.regret for score in found.scores if (score.policy, score.world) == ("a", "v"))
    assert regret is not None
    assert regret.value == pytest.approx(20.0)


def test_the_skyline_of_iris_is_a_classifier_s():
    assert run_cell(skyline_cell("iris"), None).mean_reward == pytest.approx(0.96, abs=0.03)
