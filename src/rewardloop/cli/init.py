"""`rewardloop init`: a commented YAML to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.printing import console
from rewardloop.errors import Conflict
from rewardloop.settings.dump import example_yaml
from rewardloop.settings.load import parse_settings


def init(
    name: str,
    /,
    *,
    actions: Annotated[
        str, Parameter(help="A number of arms, or names separated by commas. Without: actions come with each request.")
    ] = "",
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="File to write; NAME.yaml by default.")] = None,
) -> None:
    """Write an experiment's YAML, every setting in it with its default and one line of explanation.

    Example: rewardloop init offers --actions red,green,blue
    """
    path = out or Path(f"{name}.yaml")
    if path.exists():
        raise Conflict(f"Expected a new file, found `{path}`; remove it, or choose another with --out")
    chosen = f"actions: {actions}\n" if actions.isdigit() else f"actions: [{actions}]\n" if actions else ""
    settings = parse_settings(f"experiment: {name}\n{chosen}", source=str(path)).settings
    path.write_text(example_yaml(settings), encoding="utf-8")
    console.print(f"Wrote {path}. Next: [bold]rewardloop serve {path}[/] and, beside it, [bold]rewardloop run {path}[/]")
