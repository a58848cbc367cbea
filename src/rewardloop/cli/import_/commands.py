"""What every command of `rewardloop import` is for. It stands here so that help imports no command."""

from __future__ import annotations

from rewardloop.cli.commands import Command

IMPORT_COMMANDS = (
    Command(
        "personalizer",
        "Services",
        "An Azure Personalizer resource as an experiment.",
        "The files are what GET /configurations/service and GET /configurations/policy answered. Writes NAME.yaml, takes it into "
        "the data directory, and says what has no counterpart. The SDKs' endpoint is then http://HOST/experiments/NAME.",
        (
            "rewardloop import personalizer --config service.json --policy policy.json",
            "rewardloop import personalizer --config service.json --name shop",
        ),
    ),
)
