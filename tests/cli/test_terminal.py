"""Ids and features come from clients: whatever they hold, a terminal shows it and does not obey it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape

from rewardloop.cli.telling.terminal import Terminal, one_line

HOSTILE = "a\x1b[31mred\n2026-01-01 00:00:00  forged  reward  1\x9b[2J\u202e"
SHOWN = r"a\x1b[31mred\n2026-01-01 00:00:00  forged  reward  1\x9b[2J\u202e"


def test_an_id_with_escape_sequences_stays_in_its_line(offers):
    offers("decide", "offers.yaml", "--event-id", HOSTILE)
    offers("reward", HOSTILE, "1", "-e", "offers")
    shown = offers("tail", "offers")
    assert [line[21:].startswith(SHOWN) for line in shown.out.splitlines()] == [True, True]
    assert offers("audit", HOSTILE, "-e", "offers").out.startswith(f"{SHOWN} of offers\n")


def test_an_error_is_one_line_whatever_it_quotes(offers):
    offers("decide", "offers.yaml")
    said = offers("audit", HOSTILE, "-e", "offers").err
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert SHOWN in said


def test_brackets_and_colons_of_an_id_are_neither_markup_nor_emoji(offers):
    for event_id in ("x[/nonsense]", "user:id:42"):
        offers("decide", "offers.yaml", "--event-id", event_id)
        audited = offers("audit", event_id, "-e", "offers")
        assert (audited.code, audited.out.splitlines()[0]) == (0, f"{event_id} of offers")


def test_what_is_to_be_pasted_is_quoted(offers, tmp_path):
    decided = offers("decide", "offers.yaml", "--event-id", "order 7; ls")
    assert "rewardloop reward 'order 7; ls' 1 --experiment offers" in decided.out
    (tmp_path / "our files").mkdir()
    assert "rewardloop serve 'our files/x.yaml'" in offers("init", "x", "--out", "our files/x.yaml").out


@given(st.text())
def test_no_control_character_is_printed(text):
    terminal = Terminal()
    with terminal.capture() as captured:
        terminal.print(escape(one_line(text)), end="")
    assert all(character.isprintable() or character not in "\n\r\x1b\x9b\u202e" for character in captured.get())
