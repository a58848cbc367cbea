"""`rewardloop salvage`: put a damaged log segment aside, and keep what can be read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.telling.printing import console
from rewardloop.log import quarantine


def salvage(segment: Annotated[Path, Parameter(help="The file that the error named.")], /) -> None:
    found = quarantine(segment)
    console.print(f"Kept {found.kept} records, {found.missing} are missing. The damaged file is now {found.aside}")
