"""The command line: one file a command. Nothing heavy is imported before a command runs."""

from rewardloop.cli.app import main

__all__ = ["main"]
