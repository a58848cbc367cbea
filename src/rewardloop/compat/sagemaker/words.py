"""An error about a decision, in the words of the body that asked for it: its keys, its positions, its line."""

from __future__ import annotations

import re

from rewardloop.errors import InvalidInput

_ONE_OF_MANY = re.compile(r"^\$\.requests\[(\d+)\]")
_ACTION = re.compile(r"^(\$\.actions_context\[\d+\])\.features(?:\.action(?=\[))?")


def place(at: str, with_features: bool) -> str:
    """Where in an invocation the place of a decision's request is.

    >>> place("$.context.observation[3]", False), place("$.context.age", False), place("$.context.shared[0]", True)
    ('$.observation[3]', '$.observation.age', '$.shared_context[0]')
    >>> place("$.actions_context[1].features.action[0]", True), place("$.actions_context[1].features.price", True)
    ('$.actions_context[1][0]', '$.actions_context[1].price')
    """
    whole, unnamed = ("$.shared_context", "shared") if with_features else ("$.observation", "observation")
    if at.startswith("$.context"):
        return whole + at.removeprefix("$.context").removeprefix(f".{unnamed}" if f".{unnamed}[" in at else "")
    return _ACTION.sub(r"\1", at.replace("$.actions[", "$.actions_context[", 1))


def in_their_words(error: InvalidInput, with_features: bool, line: int = 0) -> InvalidInput:
    """The same, told of a request alone, or of a line of many."""
    at = _ONE_OF_MANY.sub("$", error.at) if error.at else ""
    told = str(error).removesuffix(f" - at `{error.at}`")
    return type(error)(f"line {line}: {told}" if line else told, at=place(at, with_features) or None)


def position(error: InvalidInput) -> int:
    """Which of many requests it is about, from 0; 0 where it does not say.

    >>> position(InvalidInput("Expected a number", at="$.requests[17].context.age"))
    17
    """
    found = _ONE_OF_MANY.match(error.at or "")
    return int(found[1]) if found else 0
