"""What a user names as `module:name`: the module, imported, and the name in it."""

from __future__ import annotations

import importlib
from types import ModuleType

from rewardloop.errors import InvalidInput, NotFound
from rewardloop.rl.answers import quoted


def module_of(name: str, at: str) -> tuple[ModuleType, str]:
    """The module and the rest of `name`, which may not be in it. Raises `NotFound`, or `InvalidInput` for one that fails.

    Both name the option `at`.

    >>> module_of("math:sqrt", "--controller")[1]
    'sqrt'
    """
    module_name, _, attribute = name.partition(":")
    try:
        return importlib.import_module(module_name), attribute
    except (ImportError, ValueError) as error:
        raise NotFound(f"Expected a module `{module_name}` for `{name}`: {error}", at=at) from None
    except Exception as error:
        raise InvalidInput(f"Module `{module_name}` cannot be imported: {quoted(error)}", at=at) from error
