"""Forgotten events are in no file any more, nothing else changes, and a kill at any instant only delays it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import AT, decision, ranking, reward
from rewardloop.clock import SECOND
from rewardloop.erasure import Erasure
from rewardloop.errors import DirectoryInUse, InvalidInput, UnknownEvent
from rewardloop.interactions import Interactions
from rewardloop.lake import Lake
from rewardloop.log import LogReader, LogWriter, rewrite
from rewardloop.log.codec import instant
from rewardloop.loop.erasure_files import ErasureFiles, Wanted, parse_where
from rewardloop.loop.experiment import Experiment
from rewardloop.settings import Duration, ExperimentSettings, LogSettings, RewardSettings

ARMS = ExperimentSettings(experiment="offers", actions=("a", "b", "c"), reward=RewardSettings(default=0.0))
PERSON = b"ada@example.com"


def visited(experiment: Experiment, n: int = 60) -> None:
    """Every third visit is by the person to forget."""
    for i in range(n):
        user = PERSON.decode() if i % 3 == 0 else f"user-{i}"
        event_id = experiment.decide({"user": user, "age": 20 + i % 50}, event_id=f"visit-{i}-{user}").event_id
        experiment.reward(event_id, float(i % 2), reward_id=f"click of {user}")


def files_with(directory: Path, text: bytes) -> list[str]:
    return sorted(path.name for path in directory.rglob("*") if path.is_file() and text in path.read_bytes())


def rows(experiment: Experiment) -> Interactions:
    return Interactions.concatenated(list(experiment.join().interactions()))


def test_a_person_is_forgotten_everywhere_and_nobody_else(tmp_path: Path) -> None:
    with Experiment.open(ARMS, tmp_path) as experiment:
        visited(experiment)
        experiment.deploy(experiment.train().model_id)
        before, ledger = rows(experiment), experiment.ledger()
        others = {event_id for event_id in before.event_ids if PERSON.decode() not in event_id}
        wanted = Wanted(where={"user": PERSON.decode()})
        looked = experiment.erasing.look(wanted)
        assert (looked.decisions, looked.rewards, looked.closed, looked.models) == (20, 20, 20, ("offers.1",))
        assert len(rows(experiment)) == 60
        outcome = experiment.erase(wanted)
        assert (outcome.done, outcome.left) == (True, ())
        after = rows(experiment)
        assert set(after.event_ids) == others
        assert experiment.ledger() == ledger
        with pytest.raises(UnknownEvent):
            experiment.audit(f"visit-0-{PERSON.decode()}")
        assert experiment.audit(next(iter(others))).same
        line = ErasureFiles(experiment.directory.erasures).erased()[0]
        assert (line.by, line.decisions, line.models) == ("where user", 20, ("offers.1",))
        assert ErasureFiles(experiment.directory.erasures).names() == []
        fresh = experiment.train()
        assert fresh.parent is None
        experiment.deploy(fresh.model_id)
        experiment.tidy()
    assert files_with(tmp_path / "experiments", PERSON) == []
    assert PERSON not in b"".join(path.read_bytes() for path in (tmp_path / "experiments" / "offers" / "models").rglob("*.json"))


def test_looking_changes_nothing(tmp_path: Path) -> None:
    with Experiment.open(ARMS, tmp_path) as experiment:
        visited(experiment, 6)
        fingerprint = experiment.join().fingerprint
        experiment.erasing.look(Wanted(until=experiment.clock.now()))
        assert (ErasureFiles(experiment.directory.erasures).names(), experiment.join().fingerprint) == ([], fingerprint)


def test_while_another_process_runs_the_loop_it_is_asked_for_and_done_later(tmp_path: Path) -> None:
    with Experiment.open(ARMS, tmp_path) as experiment, Experiment.open(ARMS, tmp_path) as loop:
        visited(loop, 6)
        with loop.trainer(), pytest.raises(DirectoryInUse):
            experiment.erase(Wanted(event_ids=(f"visit-0-{PERSON.decode()}",)))
        assert len(ErasureFiles(experiment.directory.erasures).names()) == 1
        loop.close()
        experiment.tidy()
        assert (ErasureFiles(experiment.directory.erasures).names(), len(rows(experiment))) == ([], 5)


def test_a_loop_that_runs_does_what_others_asked_for(tmp_path: Path) -> None:
    stop, asked = Event(), list[str]()
    with Experiment.open(ARMS, tmp_path) as experiment, Experiment.open(ARMS, tmp_path) as other:
        visited(experiment, 6)

        def rest() -> None:
            if not asked:
                asked.append(other.erasing.ask(Wanted(where={"user": PERSON.decode()})))
            elif ErasureFiles(experiment.directory.erasures).erased() or experiment.clock.now() > began + 60 * SECOND:
                stop.set()

        began = experiment.clock.now()
        experiment.run(stop, on_rest=rest)
        assert [line.name for line in ErasureFiles(experiment.directory.erasures).erased()] == asked
        assert len(rows(experiment)) == 4


def test_slots_open_events_and_what_was_told_early_are_forgotten_and_the_ledger_balances(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "offers" / "lake", RewardSettings(window=Duration(60 * SECOND)))
    lake.append([ranking("e1"), reward("e1"), decision("e2"), reward("e3"), decision("e4", decided_at=AT + 90 * SECOND)], b"1")
    lake.append([decision("e5"), reward("e5", metrics=(("cost", 2.0),)), reward("e1", slot="2")], b"2")
    lake.join(AT + 80 * SECOND)
    erasure = Erasure(salt="s", event_ids=frozenset(["e1", "e3", "e4", "e5"]))
    assert lake.look(erasure)[:3] == (4, 6, 3)
    lake.erase(erasure)
    data = lake.join(AT + 300 * SECOND)
    assert [batch.event_ids for batch in data.interactions()] == [["e2"]]
    ledger = data.ledger
    assert (ledger.decisions, ledger.closed, ledger.not_activated, ledger.open, ledger.rewards_waiting) == (5, 5, 1, 0, 0)
    assert [lake.find(event_id) for event_id in ("e1", "e3", "e4", "e5")] == [[]] * 4
    again = Lake(tmp_path / "offers" / "lake", RewardSettings(window=Duration(60 * SECOND), default=0.5)).join(AT + 300 * SECOND)
    assert ([list(batch.reward) for batch in again.interactions()], again.ledger.rewards_waiting) == ([[0.5]], 0)
    assert (again.ledger.closed, again.ledger.not_activated) == (5, 4)


@given(st.lists(st.sampled_from(["e1", "e2", "e3"]), min_size=1, max_size=80), st.sets(st.sampled_from(["e1", "e2", "e3"])))
@settings(max_examples=15, deadline=None)
def test_a_rewritten_log_has_the_same_numbers_and_instants(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], gone: set[str]
) -> None:
    directory = tmp_path_factory.mktemp("log")
    erasure = Erasure(salt="s", event_ids=frozenset(gone))
    records = [reward(event_id, i / 2) if i % 3 else decision(event_id) for i, event_id in enumerate(ids)]
    with LogWriter(directory, LogSettings(), "w") as writer:
        for start in range(0, len(records), 35):
            writer.commit(records[start : start + 35])
        writer.turn()
        writer.commit([decision("e9")])
    with LogReader(directory) as reader:
        before, end = reader.read()
    found = rewrite(directory, lambda record: erasure.applied(record, instant(record)))
    assert found == (sum(event_id in gone for event_id in ids), ())
    with LogReader(directory) as reader:
        after, same_end = reader.read()
        assert reader.read(end)[0] == []
    assert same_end == end
    assert [instant(record) for record in after] == [instant(record) for record in before]
    assert [new for new, old in zip(after, before, strict=True) if old.event_id not in gone] == [
        old for old in before if old.event_id not in gone
    ]
    assert not files_with(directory, b"e1") or "e1" not in gone


def test_a_segment_that_is_being_written_is_left_and_named(tmp_path: Path) -> None:
    erasure = Erasure(salt="s", event_ids=frozenset(["e1"]))
    with LogWriter(tmp_path, LogSettings(), "w") as writer:
        writer.commit([decision("e1")])
        assert rewrite(tmp_path, lambda record: erasure.applied(record, instant(record))) == (0, ("w-000001.segment",))
    assert rewrite(tmp_path, lambda record: erasure.applied(record, instant(record))) == (1, ())


_ERASE = """
import sys
from rewardloop.loop.erasure_files import Wanted
from rewardloop.loop.experiment import Experiment
with Experiment.open("offers", sys.argv[1]) as experiment:
    print("ready", flush=True)
    experiment.erase(Wanted(where={"user": sys.argv[2]}))
"""


def test_a_kill_at_any_instant_only_delays_it(tmp_path: Path) -> None:
    with Experiment.open(ARMS, tmp_path) as experiment:
        visited(experiment, 300)
        ledger = experiment.join().ledger
    rng = random.Random(11)
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", _ERASE, str(tmp_path), PERSON.decode()], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
    with Experiment.open(ARMS, tmp_path) as experiment:
        experiment.tidy()
        assert ErasureFiles(experiment.directory.erasures).names() == []
        if not ErasureFiles(experiment.directory.erasures).erased():
            experiment.erase(Wanted(where={"user": PERSON.decode()}))
        assert (len(rows(experiment)), experiment.ledger()) == (200, ledger)
    assert files_with(tmp_path / "experiments", PERSON) == []


def test_what_is_to_be_erased_must_be_said() -> None:
    with pytest.raises(InvalidInput, match="nothing would be erased"):
        Wanted()
    for condition in ("user=u7", "context.=u7", "context.user"):
        with pytest.raises(InvalidInput, match=r"such as context\.user_id=u7"):
            parse_where((condition,))
