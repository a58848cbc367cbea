"""What is read on the page is what is in the report: every number, every sentence, nothing that is not."""

import re
import struct
import zlib

import numpy as np
import pytest

import bandit_worlds
from pages import Page
from rewardloop.evaluation import Subject, evaluate, full_report, look
from rewardloop.reports import evaluation_page, evaluation_picture
from rewardloop.settings import GateSettings

LOGGING = bandit_worlds.policy(0.5, 0.3)
BETTER, WORSE = bandit_worlds.policy(0.9, 0.1), bandit_worlds.policy(0.6, 0.1)


def report(n=800, candidate=BETTER, hosted=WORSE, rule="no_harm", experiment="digits"):
    log, pmfs = bandit_worlds.log(n, LOGGING, np.random.default_rng(1), *([candidate, hosted] if hosted else [candidate]))
    log.reward[:3] = np.nan
    named = dict(zip(("candidate", "hosted") if hosted else ("candidate",), pmfs, strict=True))
    settings = GateSettings(rule=rule)
    serve = {name: lambda _, pmf=pmf: pmf for name, pmf in named.items()}
    gate = evaluate(log, named["candidate"], named.get("hosted"), settings, (0.0, 1.0), 0)
    subject = Subject(
        experiment=experiment,
        candidate=f"{experiment}.2",
        hosted=f"{experiment}.1" if hosted else None,
        dataset="ab" * 16,
        watermark=1_700_000_000_000_000,
        n_events=5 * n,
        n_held_out=n,
    )
    return full_report(subject, gate, look(lambda: iter([log]), serve, 0, robust=True), settings, (0.0, 1.0))


def pixels(png):
    """The picture's filtered bytes."""
    data, at = b"", 8
    while at < len(png):
        size = struct.unpack(">I", png[at : at + 4])[0]
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    return zlib.decompress(data)


FOUND = report()


def test_every_number_of_the_report_is_on_the_page():
    text = Page(evaluation_page(FOUND)).text
    for named in FOUND.estimates.values():
        for name, estimate in named.items():
            assert {name, f"{estimate.value:.4f}", f"{estimate.lower:.4f} … {estimate.upper:.4f}"} <= set(text)
    for rule in FOUND.gate.rules:
        assert {rule.name, rule.sentence} <= set(text)
    assert {"the reward is missing or not finite", "3", "digits.2"} <= set(text)
    assert any(cell.startswith("ab" * 16) and "2023-11-14" in cell for cell in text)


def test_the_verdict_stands_on_top():
    text = Page(evaluation_page(FOUND)).text
    body = text[text.index("digits.2 against digits.1", 1) :]
    assert body[1] == FOUND.gate.summary


def test_all_five_charts_are_drawn_in_the_page():
    page = evaluation_page(FOUND)
    assert Page(page).tags.count("svg") == 5
    text = set(Page(page).text)
    assert {"candidate · dr", "candidate − hosted · dr", "importance weight w", "held-out events, oldest first"} <= text


def test_the_page_asks_nobody_for_anything():
    page = evaluation_page(FOUND)
    assert not {"script", "img", "link", "iframe"} & set(Page(page).tags)
    assert not re.search(r"://|url\(|@import", page)


@pytest.mark.parametrize("rule", ["no_harm", "strict", "always"])
def test_the_words_agree_with_the_numbers(rule):
    found = report(rule=rule)
    text = " ".join(Page(evaluation_page(found)).text)
    assert f"each would have earned about {found.gate.candidate['dr'].value:.4g} on average" in text
    assert f"digits.1 comes to {found.gate.hosted['dr'].value:.4g}" in text
    assert ("zero lies below" in text) == (found.difference.lower > 0)
    assert ("however often one looks" in text) == (rule == "strict")


def test_a_loss_is_called_one():
    text = " ".join(Page(evaluation_page(report(candidate=WORSE, hosted=BETTER))).text)
    assert "zero lies above" in text
    assert "✗" in text


def test_the_same_policy_is_no_crash_of_any_chart():
    found = report(hosted=BETTER)
    assert "zero lies inside" in " ".join(Page(evaluation_page(found)).text)
    assert evaluation_picture(found).startswith(b"\x89PNG")


def test_nothing_hosted_is_said_so():
    text = " ".join(Page(evaluation_page(report(hosted=None))).text)
    assert "digits.2 against what was logged" in text
    assert "no model is hosted yet" in text


@pytest.mark.parametrize("n", [3, 4])
def test_too_few_events_are_a_page_and_a_picture_too(n):
    found = report(n)
    page = evaluation_page(found)
    assert "too few held-out events" in page
    assert "svg" not in Page(page).tags
    assert evaluation_picture(found).startswith(b"\x89PNG")


def test_the_picture_holds_the_charts():
    picture = evaluation_picture(FOUND)
    width, height = struct.unpack(">II", picture[16:24])
    assert (width > 1200, height > 2000) == (True, True)
    assert len(set(pixels(picture))) > 50


def test_hostile_names_stay_text():
    page = evaluation_page(report(200, experiment="</p><script>alert(1)</script>"))
    assert "script" not in Page(page).tags
