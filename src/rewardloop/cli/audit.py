"""`rewardloop audit`: why this action, and can it be reproduced?"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.markup import escape

from rewardloop.actions import parse_actions
from rewardloop.cli.asking.opening import open_event
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, EventExperiment, EventId
from rewardloop.cli.telling.printing import console, print_facts, print_json, print_table
from rewardloop.cli.telling.terminal import one_line
from rewardloop.loop.auditing import Audit


def audit(event_id: EventId, /, *, experiment: EventExperiment = None, data: Data = DEFAULT, json: AsJson = False) -> None:
    with open_event(event_id, experiment, data, or_only=True) as opened:
        found = opened.audit(event_id)
    if json:
        print_json(found)
    else:
        _print(found)
    sys.exit(0 if found.same else 1)


def _print(found: Audit) -> None:
    rewards = ", ".join(f"{reward.reward:g}" for reward in found.rewards) or "none yet"
    console.print(f"[bold]{escape(one_line(found.event_id))}[/] of {found.experiment}")
    print_facts(
        [
            ("decided", f"{found.decided_at} by {found.model_id}, seed {found.seed}"),
            ("context", bytes(found.context).decode()),
            ("rewards", rewards),
            *(_trial(found) if found.turn is not None else ()),
        ]
    )
    if found.slots:
        _print_slots(found)
    elif found.values:
        _print_values(found)
    else:
        _print_actions(found)
    console.print("[green]The replay is the same to the bit.[/]" if found.same else "[red]The replay differs from the log.[/]")


def _trial(found: Audit) -> Iterator[tuple[str, str]]:
    turn = found.turn
    assert turn is not None
    yield "variant", f"{found.variant}: `{turn.key}` draws {turn.draw:.6f}, and {turn.challenger} has the share {turn.share:g}"


def _print_actions(found: Audit) -> None:
    ids = parse_actions(bytes(found.actions)).ids
    chosen = ["← chosen" if i == found.logged.action else "" for i in range(len(ids))]
    logged, replayed = _column(found.logged.pmf), _column(found.replayed.pmf)
    print_table(("action", ">logged", ">replayed", ""), zip(ids, logged, replayed, chosen, strict=True))


def _print_values(found: Audit) -> None:
    places = [str(i + 1) for i in range(len(found.values))]
    pairs = zip(places, found.values, found.replayed_values, strict=False)
    print_table(("value", ">logged", ">replayed"), [(place, f"{one:.6g}", f"{two:.6g}") for place, one, two in pairs])
    console.print(f"drawn with density {found.density:.6g}" if found.density is not None else "not drawn: `explore: false`")


def _print_slots(found: Audit) -> None:
    rows = []
    for place, (logged, again) in enumerate(zip(found.slots, found.replayed_slots, strict=True)):
        ids = parse_actions(logged.actions or bytes(found.actions)).ids
        marginal = f"{found.marginals[place][logged.action]:.6f}" if found.marginals else ""
        rows.append((logged.slot, ids[logged.action], f"{logged.probability:.6f}", f"{again.probability:.6f}", marginal))
    print_table(("slot", "action", ">logged", ">replayed", ">marginal"), rows)
    console.print(f"all of it with probability {found.joint_probability:.6g}")


def _column(pmf: tuple[float, ...]) -> list[str]:
    return [f"{probability:.6f}" for probability in pmf]
