"""`rewardloop rl envs`: the environments that come along."""

from __future__ import annotations

from rewardloop.cli.asking.options import AsJson
from rewardloop.cli.telling.printing import console, print_facts, print_json
from rewardloop.simulators.catalogue import catalogue


def envs(*, json: AsJson = False) -> None:
    entries = catalogue()
    if json:
        print_json(entries)
        return
    for entry in entries:
        extra = f"  [dim]pip install 'rewardloop\\[{entry.extra}]'[/]" if entry.extra else ""
        console.print(f"[bold]{entry.id}[/]{extra}")
        facts = (
            ("", entry.about),
            ("sees", entry.observation),
            ("does", entry.action),
            ("reward", entry.reward),
            ("source", entry.source),
        )
        print_facts(facts, indent="  ")
    console.print("Any other gymnasium id works as well, and your own as module:Name.")
