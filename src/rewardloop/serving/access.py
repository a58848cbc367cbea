"""Who may call what: the roles of a route, the caller of a request. Knows no key and no header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewardloop.errors import Forbidden
from rewardloop.registry.api_keys import ROLES, Role
from rewardloop.serving.replies import Header

Access = frozenset[Role]
"""The roles of which a caller needs one; empty: none, the route answers anybody."""

OPEN: Access = frozenset()
DECIDE: Access = frozenset(("decide",))
REWARD: Access = frozenset(("reward",))
EITHER: Access = DECIDE | REWARD
"""For a route whose body says which of them it is: what it does then asks `Caller.require`."""
ADMIN: Access = frozenset(("admin",))


class Request(NamedTuple):
    """A request as it came over the wire, whole."""

    method: str
    raw_path: bytes
    """Percent-encoded, as sent."""
    query: bytes
    headers: Sequence[Header]
    """Names in lower case."""
    body: bytes
    address: str
    """Of the client, or of the proxy before it."""


class Caller(NamedTuple):
    """On whose behalf a request is answered."""

    key_id: str
    """Empty where no key is asked for."""
    roles: frozenset[Role]
    """`admin` has the others too."""
    experiments: frozenset[str] | None
    """Those it is let near; None: all."""

    def require(self, role: Role) -> None:
        """Raises `Forbidden` where the caller has another role.

        >>> ANYBODY.require("reward")
        """
        if role not in self.roles:
            raise Forbidden(f"Key `{self.key_id}` may not {_VERBS[role]}: make one with `rewardloop keys add NAME --role {role}`")

    def require_all_experiments(self) -> None:
        """Raises `Forbidden` where the caller is let near some only."""
        if self.experiments is not None:
            raise Forbidden(f"Key `{self.key_id}` is for {named(self.experiments)} only, and this tells of all experiments")


ANYBODY = Caller("", frozenset(ROLES), None)
"""Where no keys are asked for."""
NOBODY = Caller("", frozenset(), frozenset())
"""Without a key, where one is asked for: sees what is open."""

_VERBS: dict[Role, str] = {"decide": "ask for decisions", "reward": "send rewards", "admin": "administer"}


def named(experiments: frozenset[str]) -> str:
    """A scope in words.

    >>> named(frozenset(["offers", "prices"]))
    'offers, prices'
    """
    return ", ".join(sorted(experiments)[:8]) or "no experiment"


def check_role(caller: Caller, access: Access) -> None:
    """Raises `Forbidden` where the caller has none of the roles of a route that has some."""
    if access and caller.roles.isdisjoint(access):
        wanted = sorted(access)
        verbs = " or ".join(_VERBS[role] for role in wanted)
        raise Forbidden(f"Key `{caller.key_id}` may not {verbs}: make one with `rewardloop keys add NAME --role {wanted[0]}`")
