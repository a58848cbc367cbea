"""The tree in the docstring of `errors` is the tree of the classes."""

import re

from rewardloop import errors
from rewardloop.errors import RewardloopError


def family(kind: type[RewardloopError]) -> set[type[RewardloopError]]:
    return {kind}.union(*(family(child) for child in kind.__subclasses__() if child.__module__ == "rewardloop.errors"))


def test_the_printed_tree_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)(?: +(\d+) +(\d))?", errors.__doc__ or "")
    assert {name for name, *_ in drawn} | {"RewardloopError"} == {kind.__name__ for kind in family(RewardloopError)}
    for name, status, exit_code in drawn:
        kind = getattr(errors, name)
        if status:
            assert (kind.status, kind.exit_code) == (int(status), int(exit_code)), name


def test_codes_are_unique() -> None:
    kinds = family(RewardloopError)
    assert len({kind.code for kind in kinds}) == len(kinds)
