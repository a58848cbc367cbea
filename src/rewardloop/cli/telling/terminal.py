"""What reaches a terminal: text, and never what a client hid in it. Colours come from markup here, from nowhere else."""

from __future__ import annotations

from types import MappingProxyType

from rich.console import Console, HighlighterType, JustifyMethod, OverflowMethod
from rich.style import Style
from rich.text import Text

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_DIRECTIONS = (0x061C, *range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Marks that turn the direction of writing around, and separators of lines."""
_SHOWN = MappingProxyType(
    {code: f"\\x{code:02x}" for code in _CONTROLS if chr(code) not in "\n\t"} | {code: f"\\u{code:04x}" for code in _DIRECTIONS}
)


def visible(text: str) -> str:
    r"""The text with its control characters spelled out: an id may hold an escape sequence, and a terminal obeys those.

    >>> visible("order\x1b[2J")
    'order\\x1b[2J'
    """
    return text.translate(_SHOWN)


def one_line(text: str) -> str:
    r"""The same, where a second line would be taken for a row of ours.

    >>> one_line("order\n2026-01-01  reward  1")
    'order\\n2026-01-01  reward  1'
    """
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


class Terminal(Console):
    """Standard output, or standard error: nothing highlighted, nothing wrapped, no emoji (`user:id:7` has one in it)."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)

    def render_str(
        self,
        text: str,
        *,
        style: str | Style = "",
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        emoji: bool | None = None,
        markup: bool | None = None,
        highlight: bool | None = None,
        highlighter: HighlighterType | None = None,
    ) -> Text:
        """Text of markup, its control characters spelled out."""
        return super().render_str(
            visible(text),
            style=style,
            justify=justify,
            overflow=overflow,
            emoji=emoji,
            markup=markup,
            highlight=highlight,
            highlighter=highlighter,
        )

    def on_broken_pipe(self) -> None:
        """Whoever reads may stop reading: `rewardloop tail offers | head -1` is no failure."""
        raise BrokenPipeError
