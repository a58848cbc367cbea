"""Settings as Vowpal Wabbit's command line: each trap that was measured has a line here."""

from __future__ import annotations

import msgspec
import pytest

from rewardloop.errors import InvalidSettings
from rewardloop.policies.vw.arguments import extra_arguments, learner_arguments
from vw_worlds import EXPLORATIONS, settings


def line(exploration: str, crossed: int = 0, **learner: object) -> str:
    return " ".join(learner_arguments(settings(exploration, **learner), crossed)) + " "


@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_always_action_dependent_features(exploration: str) -> None:
    assert line(exploration).startswith("--cb_explore_adf ")


@pytest.mark.parametrize("exploration", ["squarecb", "regcb", "regcbopt"])
def test_where_confidence_is_used_the_cost_range_is_told(exploration: str) -> None:
    assert "--cb_min_cost 0 --cb_max_cost 1 " in line(exploration)


def test_regcbopt_alone_is_deprecated() -> None:
    assert "--regcb --regcbopt " in line("regcbopt")


@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_the_context_is_crossed_with_the_action_and_in_pairs_where_wanted(exploration: str) -> None:
    assert "--interactions sa " in line(exploration)
    assert "ssa" not in line(exploration)
    assert "--interactions ssa --interactions xa " in line(exploration, crossed=128)


@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_no_test_mode_no_files_no_lost_constant(exploration: str) -> None:
    words = line(exploration, crossed=128).split()
    assert not {"-t", "-d", "-i", "-f", "--noconstant", "--coin", "--save_resume"} & set(words)


def test_every_setting_of_an_exploration_arrives() -> None:
    made = settings()
    policy = msgspec.structs.replace(
        made.policy, epsilon=0.125, num_policies=7, lambda_=2.5, gamma_scale=11.0, gamma_exponent=0.25, mellowness=0.75, psi=3.5,
        tau=17, rnd_networks=9, rnd_alpha=0.3, rnd_invlambda=0.7, synthcover_psi=0.6, synthcover_size=33,
    )  # fmt: skip
    told = {
        "egreedy": "--epsilon 0.125",
        "bag": "--bag 7",
        "cover": "--cover 7 --psi 3.5",
        "softmax": "--softmax --lambda 2.5",
        "first": "--first 17",
        "squarecb": "--squarecb --elim --gamma_scale 11.0 --gamma_exponent 0.25 --mellowness 0.75",
        "regcb": "--regcb --mellowness 0.75",
        "regcbopt": "--regcb --regcbopt --mellowness 0.75",
        "rnd": "--rnd 9 --rnd_alpha 0.3 --rnd_invlambda 0.7 --epsilon 0.125",
        "automl": "--automl 7 --epsilon 0.125",
        "epsilon_decay": "--epsilon_decay --model_count 7",
        "synthcover": "--synthcover --synthcoverpsi 0.6 --synthcoversize 33",
    }
    assert set(told) == set(EXPLORATIONS)
    for exploration, words in told.items():
        exploring = msgspec.structs.replace(policy, exploration=exploration)
        assert words in " ".join(learner_arguments(msgspec.structs.replace(made, policy=exploring), crossed=0))


def test_the_learner_is_told() -> None:
    assert "--cb_type dr " in line("egreedy", cb_type="dr")
    assert "-l 0.5 -b 18 " in line("egreedy", learning_rate=0.5, bits=18)
    assert line("egreedy", arguments="--l2 1e-6").endswith("--l2 1e-6 ")


@pytest.mark.parametrize("cb_type", ["dm", "sm"])
def test_cover_refuses_what_it_cannot_do(cb_type: str) -> None:
    with pytest.raises(InvalidSettings, match="`cover` works with cb_type `mtr` or `dr` or `ips`"):
        line("cover", cb_type=cb_type)


@pytest.mark.parametrize("text", ["-f x", "-fx", "--final_regressor=x", "-i x", "-t", "--daemon", "-b 3", "--json", "--hash all"])
def test_the_platforms_own_flags_are_not_for_arguments(text: str) -> None:
    with pytest.raises(InvalidSettings, match="is not for `arguments`"):
        extra_arguments(text)
