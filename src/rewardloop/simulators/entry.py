"""One row of the table of environments."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """`id` is what `gymnasium.make` takes; `entry_point` is `module:name` of what makes it; `extra` is the pip extra it needs.

    `arguments` go to the entry point, by name; a person may give others.
    """

    id: str
    about: str
    observation: str
    action: str
    reward: str
    source: str
    entry_point: str
    arguments: dict[str, str] = {}
    extra: str = ""
