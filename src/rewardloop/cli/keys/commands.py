"""What every command of `rewardloop keys` is for, with examples. It stands here so that help imports no command."""

from __future__ import annotations

from rewardloop.cli.commands import Command

KEYS = "Keys"

KEYS_COMMANDS = (
    Command(
        "add",
        KEYS,
        "Make a key and show it, once.",
        "Roles: decide (ask for decisions), reward (send rewards, activate), admin (all, and what is read about experiments). "
        "As soon as there is a key, servers on the data directory ask for one, within a second and without a restart. With "
        "--aws also what boto3 signs with.",
        (
            "rewardloop keys add shop",
            "rewardloop keys add page --role decide --experiment offers",
            "rewardloop keys add prometheus --role admin",
            "rewardloop keys add notebook --aws",
        ),
    ),
    Command(
        "list",
        KEYS,
        "All keys that were ever made, and what they may do.",
        "Not the keys themselves: they are kept as hashes.",
        ("rewardloop keys list", "rewardloop keys list --json"),
    ),
    Command(
        "revoke",
        KEYS,
        "End a key, by its name or id: refused within a second.",
        "Revoking the last one opens nothing: a server goes on asking for keys.",
        ("rewardloop keys revoke shop",),
    ),
)
