"""`rewardloop join`: decisions and rewards, joined up to now."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.account import account
from rewardloop.cli.telling.printing import console, instant, print_facts, print_json


def join(experiment: ExperimentName, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    with open_experiment(experiment, data) as opened:
        joined = opened.join()
        ledger = opened.ledger()
    if json:
        print_json({"watermark": joined.watermark, "fingerprint": joined.fingerprint, "n": joined.n, "ledger": ledger})
        return
    console.print(f"[bold]{joined.n:,} closed events[/] up to {instant(joined.watermark)}, data set {joined.fingerprint}")
    print_facts(account(ledger))
