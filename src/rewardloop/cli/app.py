"""The application, and the one place where an error becomes a line on standard error and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from keyword import iskeyword
from types import MappingProxyType
from typing import NoReturn

from cyclopts import App, CycloptsError, Group, Parameter
from rich.markup import escape

from rewardloop.cli.commands import COMMANDS, Command
from rewardloop.cli.import_.commands import IMPORT_COMMANDS
from rewardloop.cli.keys.commands import KEYS_COMMANDS
from rewardloop.cli.rl.commands import RL_COMMANDS
from rewardloop.cli.telling.terminal import Terminal, one_line
from rewardloop.errors import MissingExtra, RewardloopError, did_you_mean

HELP = """Contextual bandits that learn in production: decide, log, reward, join, train, evaluate, deploy, again.

New here? `rewardloop demo` shows it all in a minute. Then:

  rewardloop init offers --actions red,green,blue   # writes offers.yaml
  rewardloop serve offers.yaml                      # answers on port 8080
  rewardloop run offers.yaml                        # beside it: learns

Every command explains itself: rewardloop COMMAND --help
Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 the gate said no."""

FAILED, USAGE, INTERRUPTED = 1, 2, 130

FAMILIES = MappingProxyType({"rl": RL_COMMANDS, "import": IMPORT_COMMANDS, "keys": KEYS_COMMANDS})
"""Commands that have commands of their own."""


def build() -> App:
    """The application with every command, each imported only when it is called."""
    app = App(
        name="rewardloop",
        help=HELP,
        version=version("rewardloop"),
        help_format="plaintext",
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,  # `main` has a sentence for it
    )
    return _filled(app, COMMANDS, FAMILIES)


def _filled(app: App, commands: Sequence[Command], families: Mapping[str, Sequence[Command]], folder: str = "") -> App:
    """The application with its commands; a family is a command that has commands of its own."""
    groups = {name: Group(name, sort_key=i) for i, name in enumerate(dict.fromkeys(command.group for command in commands))}
    for i, command in enumerate(commands):
        group = groups[command.group]
        if command.name in families:
            family = App(name=command.name, version_flags=(), help=command.help, help_format="plaintext")
            family.group, family.sort_key, family.help_epilogue = group, i, command.epilogue
            app.command(_filled(family, families[command.name], {}, f".{_folder(command.name)}"))
        else:
            function = command.name.replace("-", "_")
            app.command(
                f"rewardloop.cli{folder}.{function}:{function}",
                name=command.name,
                group=group,
                sort_key=i,
                help=command.help,
                help_epilogue=command.epilogue,
            )
    options = Group("Options", sort_key=len(groups))
    for flag in app.help_flags + app.version_flags:
        app[flag].group = options
    return app


def _folder(family: str) -> str:
    return f"{family}_" if iskeyword(family) else family


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Whatever goes wrong on purpose is one line on standard error; only a bug is a traceback."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _refuse_unknown(tokens)
        build()(tokens, exit_on_error=False, print_error=False)
    except RewardloopError as error:
        _fail(error.title, str(error), error.exit_code)
    except CycloptsError as error:
        _fail("Usage", _sentence(error, " ".join(tokens[: 2 if tokens[0] in FAMILIES else 1])), USAGE)
    except ImportError as error:
        _fail_for_want_of(error, tokens)
    except KeyboardInterrupt:
        _fail("Stopped", "interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _fail("Failed", f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", FAILED)


def _refuse_unknown(tokens: list[str]) -> None:
    known = [*(command.name for command in COMMANDS), "--help", "-h", "--version"]
    first = tokens[0] if tokens else "--help"
    if first not in known:
        _unknown(first, known, "rewardloop")
    if first in FAMILIES and len(tokens) > 1:
        known = [*(command.name for command in FAMILIES[first]), "--help", "-h"]
        if tokens[1] not in known:
            _unknown(tokens[1], known, f"rewardloop {first}")


def _unknown(word: str, known: Sequence[str], command: str) -> NoReturn:
    hint = did_you_mean(word, known) or f"; see: {command} --help"
    _fail("Usage", f"Unknown {'option' if word.startswith('-') else 'command'} `{word}`{hint}", USAGE)


def _fail_for_want_of(error: ImportError, tokens: Sequence[str]) -> NoReturn:
    """Without its extra a command cannot be imported: cyclopts says so, and why is the cause."""
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    extra = next((command.extra for command in COMMANDS if command.name == (tokens or [""])[0]), "")
    package = (cause.name or "").partition(".")[0]
    if not extra or not isinstance(cause, ModuleNotFoundError) or package == "rewardloop":
        raise error
    missing = MissingExtra(f"Expected the package `{package}`, found none: pip install 'rewardloop[{extra}]'")
    _fail(missing.title, str(missing), missing.exit_code)


def _sentence(error: CycloptsError, command: str) -> str:
    return f"{' '.join(str(error).split())} See: rewardloop {command} --help"


def _fail(title: str, sentence: str, code: int) -> NoReturn:
    Terminal(stderr=True).print(f"[red]{title}:[/] {escape(one_line(sentence))}")
    sys.exit(code)
