"""A damaged segment stops the loop with one line that says what to do; doing it lets the loop go on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.cli.app import main

OFFERS = ExperimentSettings(experiment="offers", actions=2)


def test_a_damaged_segment_is_named_and_can_be_salvaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Experiment.open(OFFERS, tmp_path) as offers:
        for _ in range(500):
            offers.decide({"age": 31})
        log = offers.directory.log
    (segment,) = log.glob("*.segment")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8_192] = b"\xff" * 8_192
    segment.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["join", "offers", "--data", str(tmp_path)])
    assert ended.value.code == 1
    advice = re.search(r"rewardloop (salvage \S+)`", capsys.readouterr().err)
    assert advice is not None
    with pytest.raises(SystemExit) as ended:
        main(advice[1].split())
    assert ended.value.code == 0
    kept = re.search(r"Kept (\d+) records, (\d+) are missing", capsys.readouterr().out)
    assert kept is not None
    assert 0 < int(kept[1]) < 500
    with Experiment.open(OFFERS, tmp_path) as offers:
        offers.join()
        assert offers.ledger().decisions == int(kept[1])
