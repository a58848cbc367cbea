"""`rewardloop init`: a commented YAML to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.new_file import write_new
from rewardloop.cli.telling.printing import console
from rewardloop.settings import ExperimentSettings, checked, example_yaml


def init(
    name: Annotated[str, Parameter(help="Of the experiment: lower-case letters, digits, - and _.")],
    /,
    *,
    actions: Annotated[
        str,
        Parameter(
            name=["--actions", "-a"],
            show_default=False,
            help="Names separated by commas, or a number of arms. Without: each request brings its own actions.",
        ),
    ] = "",
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="File to write; by default NAME.yaml.")] = None,
) -> None:
    settings = checked(ExperimentSettings(experiment=name, actions=_actions(actions)))
    path = out or Path(f"{name}.yaml")
    write_new(path, example_yaml(settings))
    told = escape(shlex.quote(str(path)))
    console.print(f"Wrote {told}. Next:  [bold]rewardloop serve {told}[/]  and, beside it,  [bold]rewardloop run {told}[/]")


def _actions(text: str) -> int | tuple[str, ...] | None:
    """What `--actions` says.

    >>> _actions("red, green"), _actions("3"), _actions("")
    (('red', 'green'), 3, None)
    """
    if text.isascii() and text.isdigit():
        return int(text)
    return tuple(action.strip() for action in text.split(",")) if text else None
