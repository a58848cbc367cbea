"""The configuration file of 2019 is accepted as it stands."""

import pytest

from rewardloop.errors import InvalidSettings
from rewardloop.settings import ExperimentSettings, GateSettings, PolicySettings, parse_settings, settings_from_mapping

RESOURCES = """\
resource:
  shared_resource:
    resources_cf_stack_name: "BanditsSharedResourceStack" # one stack for all experiments
    experiment_db:
      table_name: "BanditsExperimentTable"
    model_db:
      table_name: "BanditsModelTable"
    join_db:
      table_name: "BanditsJoinTable"
    iam_role:
      role_name: "BanditsIAMRole"
  private_resource:
    hosting_fleet:
      instance_type: "ml.t2.medium"
      instance_count: 1
    training_fleet:
      instance_type: "ml.c5.xlarge"
    evaluation_fleet:
      instance_type: "ml.c5.xlarge"
image: "{AccountId}.dkr.ecr.{Region}.amazonaws.com/vw-container:latest"
"""
ALGORITHM = """\
algor:
  algorithms_parameters:
    exploration_policy: "egreedy" # egreedy, bag, cover
    epsilon: 0.001
    num_policies: 3
    num_arms: 7
    cfa_type: "ips"
"""
SWITCHES = "local_mode: true\nsoft_deployment: true\n"
FILE = RESOURCES + ALGORITHM + SWITCHES
EXPECTED = ExperimentSettings(
    experiment="config",
    actions=7,
    policy=PolicySettings(exploration="egreedy", epsilon=0.001, num_policies=3),
    gate=GateSettings(estimator="ips"),
)
IGNORED = (
    "resource.shared_resource.resources_cf_stack_name",
    "resource.shared_resource.experiment_db.table_name",
    "resource.shared_resource.model_db.table_name",
    "resource.shared_resource.join_db.table_name",
    "resource.shared_resource.iam_role.role_name",
    "resource.private_resource.hosting_fleet.instance_type",
    "resource.private_resource.hosting_fleet.instance_count",
    "resource.private_resource.training_fleet.instance_type",
    "resource.private_resource.evaluation_fleet.instance_type",
    "image",
)


def refusal(text: str) -> str:
    with pytest.raises(InvalidSettings) as caught:
        parse_settings(text, "config.yaml")
    return str(caught.value)


def test_the_file_needs_nothing_else_and_its_resources_are_named_as_ignored():
    loaded = parse_settings(FILE, "config.yaml")
    assert loaded.settings == EXPECTED
    assert loaded.ignored == (*IGNORED, "local_mode", "soft_deployment")


def test_the_switches_may_stand_inside_algor():
    loaded = parse_settings(RESOURCES + ALGORITHM + "  local_mode: true\n  soft_deployment: false\n", "config.yaml")
    assert loaded.settings == EXPECTED
    assert loaded.ignored == (*IGNORED, "algor.local_mode", "algor.soft_deployment")


def test_the_name_may_be_given():
    assert parse_settings(FILE, "config.yaml", name="bandits-exp-1").settings.experiment == "bandits-exp-1"


def test_the_parsed_file_is_accepted_as_a_mapping():
    parameters = {"exploration_policy": "bag", "epsilon": 0.1, "num_policies": 4, "num_arms": 2, "cfa_type": "dr"}
    loaded = settings_from_mapping({"algor": {"algorithms_parameters": parameters}, "local_mode": True}, name="x")
    assert (loaded.settings.exploration, loaded.settings.policy.num_policies, loaded.settings.actions) == ("bag", 4, 2)
    assert loaded.ignored == ("local_mode",)


def test_native_keys_may_stand_in_the_same_file():
    settings = parse_settings(FILE + "policy: {floor: 0.05}\nreward: {window: 10m}\nexperiment: offers\n", "config.yaml").settings
    assert (settings.policy.floor, settings.policy.epsilon, settings.reward.window) == (0.05, 0.001, 600_000_000)
    assert settings.experiment == "offers"


@pytest.mark.parametrize(
    ("native", "names"),
    [
        ("policy: {epsilon: 0.001}", ("`policy.epsilon`", "`algor.algorithms_parameters.epsilon`", "line 30")),
        ("actions: 7", ("`actions`", "`algor.algorithms_parameters.num_arms`")),
        ("gate: {estimator: ips}", ("`gate.estimator`", "`algor.algorithms_parameters.cfa_type`")),
    ],
)
def test_a_setting_in_both_spellings_is_refused_with_both_names(native, names):
    message = refusal(FILE + native)
    assert all(name in message for name in names)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            '"egreedy"',
            "epsilom",
            "Unknown exploration policy `epsilom` at `$.algor.algorithms_parameters.exploration_policy` (line 23 of config.yaml)",
        ),
        (
            "epsilon:",
            "epsilonn:",
            "Unknown key `epsilonn` at `$.algor.algorithms_parameters.epsilonn` (line 24 of config.yaml); did you",
        ),
        (
            "0.001",
            "2",
            "Expected a number from 0 to 1, got `2` at `$.algor.algorithms_parameters.epsilon` (line 24 of config.yaml)",
        ),
        ('"ips"', "snips", "; expected one of `dr`, `ips`; did you mean `ips`?"),
        ("num_arms: 7", "num_arms: [a, b]", "Expected a whole number, got a list of 2 at `$.algor.algorithms_parameters.num_arms`"),
        ("num_arms: 7", "num_arms: 0", "got `0` at `$.algor.algorithms_parameters.num_arms`"),
        ("algorithms_parameters", "algorithm_parameters", "; did you mean `algorithms_parameters`?"),
        ("algor:", "algo:", "; did you mean `algor`?"),
        ("local_mode: true", "local_mode: maybe", "Expected `true` or `false`, got the text `maybe` at `$.local_mode`"),
        ("image:", "image: []\nfoo:", "Expected a text, got a list of 0 at `$.image`"),
    ],
)
def test_a_wrong_key_value_or_type_is_refused_in_the_words_of_the_file(right, wrong, message):
    assert message in refusal(FILE.replace(right, wrong))


@pytest.mark.parametrize("text", ["algor: 3", "resource: x", "algor: {algorithms_parameters: []}", FILE + "policy: 3"])
def test_a_value_where_a_section_belongs_is_refused(text):
    assert "Expected a section" in refusal(text)
