"""Explanations as pages and pictures: the numbers and the sentence of the report, with what was left out."""

import pytest

from pages import Page
from rewardloop.evaluation import (
    Contribution,
    Contributions,
    DecisionReport,
    Estimate,
    FeatureImportance,
    Importance,
    PolicyReport,
)
from rewardloop.evaluation.documents.explained import decision_summary
from rewardloop.reports import decision_page, decision_picture, importance_page, importance_picture
from rewardloop.reports.importance import importance_table

HOSTILE = "</td><script>alert(1)</script>\x00\x1b[2J"


def importance_report(n=2, name="age"):
    value = Estimate(0.8, 0.75, 0.85, 0.95, 900, 300.0)
    features = tuple(
        FeatureImportance(f"{name}{i}", "action" if i else "context", 2, Estimate(0.3, 0.25, 0.35, 0.95, 900, 300.0), 0.125)
        for i in range(n)
    )
    found = Importance(value=value, features=features, n_constant=4, n_beyond=11, excluded={"no probability was logged": 6})
    return PolicyReport(
        summary="Without age it would earn less.",
        experiment="offers",
        model_id="offers.3",
        dataset="ab" * 16,
        watermark=1_700_000_000_000_000,
        by="group",
        seed=0,
        importance=found,
    )


AGE = Contribution("age", "context", 30, None, 0.2, 0.6)


def decision_report(*features):
    found = Contributions(
        action="green",
        probability=0.8,
        favourite="green",
        n_actions=3,
        even=False,
        typical_probability=0.3,
        features=features,
        n_typical=7,
        n_beyond=0,
    )
    return DecisionReport(
        summary="`green` was chosen.",
        experiment="offers",
        model_id="offers.3",
        event_id="order-1",
        decided_at=1_700_000_000_000_000,
        dataset="ab" * 16,
        n_typical=2000,
        contributions=found,
    )


def test_the_page_of_a_policy_holds_its_numbers_and_what_was_left_out():
    text = Page(importance_page(importance_report())).text
    assert {"age0", "age1 (of the action)", "+0.3000", "+0.2500 … +0.3500", "12.5%", "Without age it would earn less."} <= set(text)
    assert {"+0.3  (+0.25 to +0.35)", "mean reward lost without it, 95% interval"} <= set(text)
    assert any(cell.startswith("4 left out") for cell in text)
    assert any(cell.startswith("11 left out") for cell in text)
    assert {"events left out: no probability was logged", "6"} <= set(text)


def test_the_page_of_a_decision_holds_its_numbers():
    text = Page(decision_page(decision_report(AGE))).text
    assert {"age", "30", "absent", "0.2000", "+0.6000", "age = 30", "`green` was chosen."} <= set(text)
    assert any("7 features" in cell for cell in text)


@pytest.mark.parametrize("n", [0, 1, 60])
def test_any_number_of_features_is_drawn(n):
    assert importance_picture(importance_report(n)).startswith(b"\x89PNG")
    page = Page(importance_page(importance_report(n)))
    assert page.tags.count("tr") >= n


@pytest.mark.parametrize("change", [0.0, -0.4, 1e-7])
def test_a_decision_may_have_little_to_explain(change):
    report = decision_report(Contribution("age", "context", "x" * 300, 3.5, 0.8 - change, change))
    assert decision_picture(report).startswith(b"\x89PNG")
    assert ("svg" in Page(decision_page(report)).tags) == (abs(change) > 0.1)


def test_hostile_names_and_values_stay_text():
    contribution = Contribution(HOSTILE, "context", HOSTILE, HOSTILE, 0.2, 0.6)
    for page in (importance_page(importance_report(name=HOSTILE)), decision_page(decision_report(contribution))):
        assert "script" not in Page(page).tags
        assert "://" not in page
        assert not {"\x00", "\x1b"} & set(page)
    assert "\x1b" not in importance_table(importance_report(name=HOSTILE)).rows[0][0] + decision_summary(
        decision_report(contribution).contributions
    )
