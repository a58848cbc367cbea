"""The table of commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, Group
from rich.console import Console

from rewardloop.errors import RewardloopError

START = Group("Start here", sort_key=0)
SERVE = Group("Serve and record", sort_key=1)
LEARN = Group("The loop, step by step", sort_key=2)
LOOK = Group("Look", sort_key=3)

COMMANDS = (
    ("demo", START),
    ("init", START),
    ("serve", SERVE),
    ("run", SERVE),
    ("decide", SERVE),
    ("reward", SERVE),
    ("warm-start", LEARN),
    ("join", LEARN),
    ("train", LEARN),
    ("evaluate", LEARN),
    ("deploy", LEARN),
    ("rollback", LEARN),
    ("status", LOOK),
    ("tail", LOOK),
    ("audit", LOOK),
)

HELP = """Contextual bandits that learn in production: decide, log, reward, join, train, evaluate, deploy, again.

New here? `rewardloop demo` shows it all in two minutes.
Then:  rewardloop init offers --actions red,green,blue     writes offers.yaml
       rewardloop serve offers.yaml                        answers on http://127.0.0.1:8080
       rewardloop run offers.yaml                          learns from what was rewarded, for ever

Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 the gate said no."""


def build() -> App:
    """The application with every command, each imported only when it is called."""
    app = App(name="rewardloop", help=HELP, version=version("rewardloop"), help_format="plaintext")
    for name, group in COMMANDS:
        module = name.replace("-", "_")
        app.command(f"rewardloop.cli.{module}:{module}", name=name, group=group)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a `RewardloopError` is one line on standard error and its exit code."""
    try:
        build()(arguments)
    except RewardloopError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]{error.title}:[/] {_escape(str(error))}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
