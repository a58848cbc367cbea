"""`rewardloop join`: decisions and rewards, joined up to now."""

from __future__ import annotations

import msgspec

from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console, facts, print_json
from rewardloop.clock import isoformat
from rewardloop.loop.experiment import Experiment


def join(experiment: ExperimentName, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    """Join what was committed until now, and account for every record.

    Example: rewardloop join offers
    """
    with Experiment.open(experiment, data) as opened:
        joined = opened.join()
        ledger = opened.ledger()
    if json:
        print_json({"watermark": joined.watermark, "fingerprint": joined.fingerprint, "n": joined.n, "ledger": ledger})
        return
    title = f"Data set {joined.fingerprint}: {joined.n} closed events up to {isoformat(joined.watermark)}"
    console.print(facts(title, msgspec.structs.asdict(ledger)))
