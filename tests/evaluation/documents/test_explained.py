"""Why this action: contributions of single features, and the sentences made of them."""

import numpy as np
import pytest

from rewardloop.actions import fixed_actions, parse_actions
from rewardloop.evaluation import Estimate, FeatureImportance, Importance, contributions, typical
from rewardloop.evaluation.documents.explained import decision_summary, policy_summary
from rewardloop.evaluation.explanations.contributions import MAX_CHANGES, Typical

ARMS = fixed_actions(["red", "green"])
USUAL = Typical({"age": 47, "os": "ios", "vip": 0}, {"price": 5.0})


def serve(context, actions):
    """Green for the young, a little less on android."""
    green = (0.8 if context.get("age", 0) < 40 else 0.3) - (0.1 if context.get("os") == "android" else 0.0)
    return [1 - green, green]


def explain(context, chosen=1, actions=ARMS, usual=USUAL, serve=serve):
    return contributions(context, actions, chosen, usual, serve)


def test_each_feature_is_replaced_by_its_typical_value_and_the_strongest_comes_first():
    found = explain({"os": "android", "age": 30, "vip": 0})
    age, os = found.features
    assert (age.name, age.value, age.typical) == ("age", 30, 47)
    assert age.change == pytest.approx(0.5)
    assert age.probability == pytest.approx(0.2)
    assert (os.name, os.change) == ("os", pytest.approx(-0.1))
    assert (found.n_typical, found.typical_probability) == (1, 0.3)


def test_what_the_event_lacks_and_others_have_is_looked_at_too():
    found = {feature.name: feature for feature in explain({"age": 30, "new": "x"}).features}
    assert (found["os"].value, found["os"].typical) == (None, "ios")
    assert (found["new"].value, found["new"].typical) == ("x", None)


def test_the_chosen_actions_own_features_are_replaced_and_no_others():
    actions = parse_actions(b'[{"id": "a", "features": {"price": 1}}, {"id": "b", "features": {"price": 9}}]')

    def cheap(context, offered):
        prices = np.array([own["price"] for own in offered.features])
        return (prices.max() + 1 - prices) / (prices.max() + 1 - prices).sum()

    (price,) = explain({}, chosen=0, actions=actions, usual=Typical({}, {"price": 5.0}), serve=cheap).features
    assert (price.of, price.value, price.typical) == ("action", 1.0, 5.0)
    assert price.change == pytest.approx(9 / 10 - 5 / 6)


def test_an_event_like_all_others_has_nothing_to_explain():
    found = explain({"age": 47, "os": "ios", "vip": 0}, chosen=0)
    assert found.features == ()
    assert "no single feature" in decision_summary(found)


def test_a_model_that_knows_nothing_favours_nobody():
    said = decision_summary(explain({"age": 30}, serve=lambda context, actions: [0.5, 0.5]))
    assert said.startswith("`green` was chosen with probability 0.5, as any of the 2 actions;")


def test_the_number_of_features_is_bounded():
    found = explain({f"f{i}": 1.0 for i in range(MAX_CHANGES + 10)}, usual=Typical({}, {}))
    assert (len(found.features), found.n_beyond) == (MAX_CHANGES, 10)


def test_typical_is_the_lower_median_and_the_most_frequent_word():
    rows = [{"n": 1, "w": "b", "mixed": 1}, {"n": 2, "w": "a", "mixed": "x"}, {"n": 9, "w": "a", "mixed": "x"}, {"n": 4, "rare": 1}]
    assert typical(rows, []).context == {"n": 2, "w": "a", "mixed": "x"}
    assert typical([{"w": "b"}, {"w": "a"}], []).context == {"w": "a"}
    assert typical([], []) == Typical({}, {})


def test_the_sentence_names_what_spoke_for_the_action():
    said = decision_summary(explain({"age": 30, "os": "ios", "vip": 0}))
    assert said == (
        "`green` was chosen with probability 0.8; what speaks most for it is `age` being 30 instead of the typical 47, "
        "with which it would have been 0.3."
    )


def test_the_sentence_says_when_it_was_exploration():
    said = decision_summary(explain({"age": 30, "os": "ios", "vip": 0}, chosen=0))
    assert "to explore: the policy favours `green`" in said
    assert "speaks most against it is `age`" in said


def feature(name, value, half):
    return FeatureImportance(name, "context", 1, Estimate(value, value - half, value + half, 0.95, 900, 300.0), 0.1)


def test_only_what_is_shown_to_matter_is_in_the_sentence():
    value = Estimate(0.8, 0.75, 0.85, 0.95, 900, 300.0)
    features = (feature("age", 0.3, 0.1), feature("os", 0.1, 0.05), feature("noise", 0.01, 0.02))
    found = Importance(value=value, features=features, n_constant=0, n_beyond=0, excluded={})
    said = policy_summary("offers.3", found)
    assert said == "Without `age` offers.3 would earn 0.3 less than its 0.8, without `os` 0.1 (900 held-out events, 95% level)."
    nothing = Importance(value=value, features=features[2:], n_constant=0, n_beyond=0, excluded={})
    assert policy_summary("offers.3", nothing).startswith("No feature is shown to matter")
