"""Names as Vowpal Wabbit's text can hold them: white space, `:` and `|` would end a name, so they are percent-encoded."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_SPOILS = re.compile(r"[\s:|%\x00]")


def write_word(name: str) -> str:
    """
    >>> write_word("a b:c"), read_word("a%20b%3Ac")
    ('a%20b%3Ac', 'a b:c')
    """
    return _SPOILS.sub(lambda found: quote(found[0], safe=""), name)


def read_word(word: str) -> str:
    """What `write_word` wrote. A foreign file's percent-encoded names are read the same way, all of them alike."""
    return unquote(word) if "%" in word else word
