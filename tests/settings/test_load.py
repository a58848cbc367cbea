"""Reading settings: what is accepted, and the one line that a refusal is."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.errors import InvalidSettings
from rewardloop.settings import (
    Duration,
    ExperimentSettings,
    GateSettings,
    LearnerSettings,
    LogSettings,
    PolicySettings,
    RewardSettings,
    TrainingSettings,
    checked,
    example_yaml,
    load_settings,
    parse_settings,
    settings_from_json,
    settings_from_mapping,
    settings_to_json,
    to_mapping,
)


def refusal(text: str) -> str:
    with pytest.raises(InvalidSettings) as caught:
        parse_settings(text, "offers.yaml")
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "policy:\n  epsilonn: 1",
            "Unknown key `epsilonn` at `$.policy.epsilonn` (line 2 of offers.yaml); did you mean `epsilon`?",
        ),
        ("\nepsilon: .1", "Unknown key `epsilon` at `$.epsilon` (line 2 of offers.yaml); it belongs under `policy`"),
        ("bitz: 1", "Unknown key `bitz` at `$.bitz` (line 1 of offers.yaml); did you mean `bits`, under `policy.learner`?"),
        ("policy: {epsilon: 2}", "Expected a number from 0 to 1, got `2` at `$.policy.epsilon` (line 1 of offers.yaml)"),
        ("gate: {level: 1.0}", "Expected a number above 0.5 and below 1, got `1.0` at `$.gate.level` (line 1 of offers.yaml)"),
        (
            "policy: [1]",
            "Expected a section with keys such as `exploration`, got a list of 1 at `$.policy` (line 1 of offers.yaml)",
        ),
        (
            "reward: {range: [0, x]}",
            "Expected a number from -1e+30 to 1e+30, got the text `x` at `$.reward.range[1]` (line 1 of offers.yaml)",
        ),
        (
            "reward:\n  window: 1 week",
            (
                "Expected a duration such as `500ms`, `30s`, `10m`, `1h`, `7d`, or a number of seconds, got the text `1 week` "
                "at `$.reward.window` (line 2 of offers.yaml)"
            ),
        ),
        (
            "actions: [true]",
            (
                "Expected a text of 1 to 256 characters, got `true` (put quotes around a word that is meant as a text) "
                "at `$.actions[0]` (line 1 of offers.yaml)"
            ),
        ),
        (
            "actions: {}",
            (
                "Expected a whole number from 1 to 1000 or a list of 1 to 1000 texts or a section with `low` and `high`, "
                "got a section at `$.actions` (line 1 of offers.yaml)"
            ),
        ),
        ("actions: 2\nactions: 3", "Key `actions` stands twice, on lines 1 and 2, at `$.actions` (line 1 of offers.yaml)"),
        ("a: [", "Expected YAML, got something else: expected the node content, but found '<stream end>' (line 1 of offers.yaml)"),
        ("- 1", "Expected settings such as `experiment: offers`, got a list in offers.yaml"),
        ("reward: {default: .nan}", "Expected a finite number, got `.nan` at `$.reward.default` (line 1 of offers.yaml)"),
    ],
)
def test_a_refusal_says_where_what_was_expected_what_was_found_and_the_nearest_word(text, message):
    assert refusal(text) == message


def test_an_unknown_policy_is_told_all_others():
    where = "Unknown exploration policy `epsilom` at `$.policy.exploration` (line 3 of offers.yaml); expected one of `automl`, "
    message = refusal("policy:\n\n  exploration: epsilom")
    assert message.startswith(where)
    assert message.endswith("`synthcover`, `uniform`; did you mean `egreedy`?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("policy: {exploration: neural}", "`neural` needs fixed actions: set `actions`"),
        ("policy: {exploration: lints, learner: {interactions: [[user, item]]}}", "`lints` finds the products itself"),
        ("policy: {exploration: regcb, learner: {cb_type: dr}}", "`regcb` works with cb_type `mtr` only, got `dr`"),
        ("policy: {exploration: squarecb, learner: {cb_type: ips}}", "works with cb_type `mtr` only"),
        ("policy: {learner: {cb_type: dr}}", "`regcbopt` works with cb_type `mtr` only"),
        ("policy: {exploration: lints, shortlist: 50}", "A shortlist is for Vowpal Wabbit's explorations, and `lints` needs none"),
        ("policy: {exploration: egreedy, shortlist: 50}\nactions: 3", "and these are fixed: leave it out"),
        ("policy: {shortlist: 50, floor: 0}", "Without a floor nothing off the shortlist would ever be tried"),
        ("policy: {exploration: cats}", "`cats` sets a number: give `actions: {low, high, cells}`"),
        (
            "policy: {exploration: cats, bandwidth: 2}\nactions: {low: 0, high: 1, cells: 4}",
            "Expected at most 1 of 4 cells on either side, got 2",
        ),
        (
            "policy: {exploration: cats, learner: {interactions: [[user, time]]}}\nactions: {low: 0, high: 1, cells: 4}",
            "`cats` knows no names",
        ),
        ("policy: {floor: 1}", "A floor of 1 leaves the policy nothing to decide"),
        ("reward: {range: [1, 0]}", "Expected [lowest, highest] with lowest < highest"),
        ("reward: {range: [0, 1], default: -1}", "The default reward -1.0 lies outside the declared range [0.0, 1.0]"),
        ("reward: {window: 0}", "A reward window of 0 accepts no reward"),
        ("actions: [a, b, a]", "Action `a` stands twice, also at position 0"),
        ("training: {ratio: 0}", "nothing to train on"),
        ("training: {ratio: 1}\ngate: {rule: strict}", "nothing to evaluate on"),
        ("training: {every: 0s}", "An interval of 0 would never rest"),
        ("gate: {max_events: 10}", "10 events at most and 500 at least cannot both be"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(text, words):
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("text", "exploration"),
    [
        ("policy: {}", "lints"),
        ("policy: {alpha: 0.05, learner: {max_columns: 512, replay: 2}}", "lints"),
        ("policy: {mellowness: 0.01}", "regcbopt"),
        ("policy: {shortlist: 50}", "regcbopt"),
        ("policy: {learner: {bits: 24}}", "regcbopt"),
        ("policy: {learner: {arguments: --power_t 0}}", "regcbopt"),
        ("policy: {learner: {interactions: [[user, item]]}}", "regcbopt"),
        ("policy: {learner: {bits: 24}}\nactions: 3", "lints"),
        ("policy: {learner: {bits: 24}}\nreward: {closes: window}\nranking: {feedback: cascade}", "lints"),
    ],
)
def test_where_no_policy_is_named_vowpal_wabbit_explores_if_something_of_its_own_is_set(text: str, exploration: str) -> None:
    assert parse_settings(text, "offers.yaml").settings.exploration == exploration


@pytest.mark.parametrize("exploration", ["egreedy", "bag", "cover", "softmax", "rnd", "first", "synthcover", "uniform"])
def test_every_other_exploration_goes_with_any_cb_type_and_any_actions(exploration):
    text = f"policy: {{exploration: {exploration}, learner: {{cb_type: dr}}}}"
    assert parse_settings(text, "offers.yaml").settings.exploration == exploration


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: &a [*a]",
        "a0: &a0 [x,x]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)),
        "\n".join(f"k{i}: 1" for i in range(30_000)),
        "- " * 100_000,
        "experiment: " + "a" * (1 << 20),
        "training: {seed: " + "9" * 100_000 + "}",
        "a: !!python/object/apply:os.system [ls]",
        "a: !!binary aGk=",
        "? [1]\n: 2",
        "1: 2",
        "a: \x00",
        "a: 1\n---\nb: 2",
        "<<: {a: 1}",
        "",
        "*a",
    ],
)
def test_hostile_files_are_refused(text):
    refusal(text)


@given(st.text(alphabet=st.sampled_from("abexpriment:policy[]{}&*!|>'\"#-? \n\t0123.,%@`~<"), max_size=60))
def test_no_text_raises_anything_but_a_refusal(text):
    with contextlib.suppress(InvalidSettings):
        parse_settings(text, "offers.yaml")


def test_plain_words_follow_yaml_1_2():
    settings = parse_settings("actions: [no, on, 1:30, 2026-01-01]\npolicy: {epsilon: 1e-3, floor: .01}", "offers.yaml").settings
    assert settings.action_ids == ("no", "on", "1:30", "2026-01-01")
    assert (settings.policy.epsilon, settings.policy.floor) == (0.001, 0.01)


def test_an_empty_section_means_its_defaults():
    assert parse_settings("policy:\n  # floor: 1\n", "offers.yaml").settings == ExperimentSettings(experiment="offers")


def test_an_alias_may_be_used_as_often_as_is_sensible():
    text = "reward: {default: &d 0.5}\ngate: {tolerance: *d}"
    assert parse_settings(text, "offers.yaml").settings.gate.tolerance == 0.5


@pytest.mark.parametrize(
    ("source", "text", "name", "expected"),
    [
        ("My Offers.v2.yaml", "actions: 2", None, "my-offers-v2"),
        ("x.yaml", "experiment: offers", None, "offers"),
        ("x.yaml", "experiment: offers", "prices", "prices"),
        ("x.yaml", "{}", "prices", "prices"),
    ],
)
def test_the_name_is_the_argument_or_the_key_or_the_file(source, text, name, expected):
    assert parse_settings(text, source, name=name).settings.experiment == expected


@pytest.mark.parametrize("name", ["", "A", "-a", "a/b", "..", "a" * 64, "é", "a\n"])
def test_a_name_that_could_not_be_a_folder_is_refused(name):
    with pytest.raises(InvalidSettings, match="Expected 1 to 63 lower-case"):
        parse_settings("{}", "offers.yaml", name=name)


def test_a_file_is_read_with_its_name_in_errors(tmp_path):
    path = tmp_path / "offers.yaml"
    path.write_text("policy: {epsilon: x}")
    with pytest.raises(InvalidSettings, match=r"line 1 of offers\.yaml"):
        load_settings(path)


@pytest.mark.parametrize(
    ("raw", "words"), [(b"a: \xff", "Expected UTF-8, got byte 0xff at offset 3"), (b" " * (1 << 21), "at most")]
)
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path, raw, words):
    path = tmp_path / "offers.yaml"
    path.write_bytes(raw)
    with pytest.raises(InvalidSettings, match=words):
        load_settings(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidSettings, match="No such file"):
        load_settings(tmp_path / "none.yaml")


@pytest.mark.parametrize("mapping", [[], {1: 2}, {"policy": {1: 2}}, {"reward": object()}, {"policy": {"epsilon": float("nan")}}])
def test_a_mapping_is_held_to_the_same_rules(mapping):
    with pytest.raises(InvalidSettings):
        settings_from_mapping(mapping, name="offers")


def test_a_mapping_without_a_name_is_refused():
    with pytest.raises(InvalidSettings, match="Expected the key `experiment`"):
        settings_from_mapping({"actions": 3})


def test_settings_built_in_python_can_be_held_to_the_same_rules():
    good = ExperimentSettings(experiment="offers", actions=2)
    assert checked(good) == good
    with pytest.raises(InvalidSettings, match=r"Expected a number from 0 to 1, got `7.0` at `\$.policy.floor`"):
        checked(ExperimentSettings(experiment="offers", policy=PolicySettings(floor=7.0)))


durations = st.integers(1, 3_650 * 86_400_000_000).map(Duration)
shares = st.floats(0, 1)
positives = st.floats(0, 1e9, exclude_min=True)
reals = st.floats(-1e30, 1e30)
action_ids = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8, unique=True).map(tuple)
policies = st.builds(
    PolicySettings,
    exploration=st.sampled_from(["lints", "egreedy", "bag", "regcbopt"]),
    floor=st.floats(0, 0.99),
    epsilon=shares,
    lambda_=positives,
    learner=st.builds(LearnerSettings, learning_rate=positives, bits=st.integers(8, 28), arguments=st.text(max_size=30)),
)
rewards = st.builds(
    lambda window, ends, aggregation, bounded: RewardSettings(
        window=window, default=ends[0], aggregation=aggregation, range=(ends[0], ends[1]) if bounded else None
    ),
    durations,
    st.lists(reals, min_size=2, max_size=2, unique=True).map(sorted),
    st.sampled_from(["earliest", "latest", "sum", "mean", "min", "max"]),
    st.booleans(),
)
experiments = st.builds(
    ExperimentSettings,
    experiment=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True),
    actions=st.integers(1, 1000) | action_ids,
    policy=policies,
    reward=rewards,
    training=st.builds(TrainingSettings, every=durations, publish_interval=durations, ratio=st.floats(0.01, 0.99)),
    gate=st.builds(GateSettings, margin=reals, level=st.floats(0.51, 0.99)),
    log=st.builds(LogSettings, retention=durations, durability=st.sampled_from(["process", "disk"])),
)


@given(experiments)
def test_what_is_written_reads_back_to_equal_settings(settings):
    assert parse_settings(example_yaml(settings), "other.yaml").settings == settings
    assert settings_from_mapping(to_mapping(settings)).settings == settings
    assert settings_from_json(settings_to_json(settings)) == settings


def test_stored_settings_that_are_none_are_refused():
    with pytest.raises(InvalidSettings, match="Expected stored settings"):
        settings_from_json(b"{}")
