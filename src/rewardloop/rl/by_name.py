"""What a user names as `module:name`: the module, imported, and the name in it."""

from __future__ import annotations

import importlib
from types import ModuleType

from rewardloop.errors import NotFound


def module_of(name: str, at: str) -> tuple[ModuleType, str]:
    """The module and the rest of `name`, which may not be in it. Raises `NotFound`, naming the option `at`.

    >>> module_of("math:sqrt", "--controller")[1]
    'sqrt'
    """
    module_name, _, attribute = name.partition(":")
    try:
        return importlib.import_module(module_name), attribute
    except (ImportError, ValueError) as error:
        raise NotFound(f"Expected a module `{module_name}` for `{name}`: {error}", at=at) from None
