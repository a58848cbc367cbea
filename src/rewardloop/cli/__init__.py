"""The command line: one file a command, a folder a family of them. Nothing heavy is imported before a command runs.

Beside them stand `app`, which finds the command and tells an error in one line; `commands`, the text of every `--help`;
`asking`, what commands are asked for; `telling`, how they answer.
"""

from rewardloop.cli.app import main

__all__ = ["main"]
