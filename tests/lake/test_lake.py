"""What the loop relies on: the cursor, late records, repeats, finding an event again, other settings, forgetting."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import AT, activation, decision, reward
from rewardloop.clock import SECOND
from rewardloop.errors import Corrupt
from rewardloop.lake import Lake, read_ledger
from rewardloop.settings import Duration, RewardSettings

MINUTE = 60 * SECOND
RULES = RewardSettings(window=Duration(MINUTE))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "offers" / "lake", RULES)


def rewards_of(lake: Lake) -> dict[str, float]:
    pairs = (zip(batch.event_ids, batch.reward, strict=True) for batch in lake.dataset().interactions())
    return {event_id: float(value) for batch in pairs for event_id, value in batch}


def test_a_new_lake_is_empty_and_reading_it_makes_nothing(lake: Lake) -> None:
    assert (lake.cursor, lake.watermark, lake.dataset().n, list(lake.dataset().interactions())) == (b"", -1, 0, [])
    assert len(lake.dataset().sample(5, seed=1)) == 0
    assert not lake.directory.exists()


def test_records_and_cursor_are_there_again_after_reopening(lake: Lake) -> None:
    lake.append([decision("e1"), reward("e1")], b'{"positions":{"a":2}}')
    again = Lake(lake.directory, RULES)
    assert again.cursor == b'{"positions":{"a":2}}'
    assert again.join(AT + MINUTE).n == 1
    assert read_ledger(lake.directory) == again.ledger == lake.ledger


def test_two_lakes_on_one_directory_see_each_others_commits(lake: Lake) -> None:
    other = Lake(lake.directory, RULES)
    lake.append([decision("e1")], b"1")
    other.append([decision("e2")], b"2")
    assert lake.join(AT + 2 * MINUTE).n == other.dataset().n == 2


def test_a_record_that_comes_after_its_data_set_was_closed_counts_in_the_next_one(lake: Lake) -> None:
    lake.append([decision("e1")], b"1")
    closed = lake.join(AT + 2 * MINUTE)
    fingerprint = closed.fingerprint
    lake.append([reward("e1"), decision("e2"), reward("e2", 0.5)], b"2")
    later = lake.join(AT + 10 * MINUTE)
    assert (lake.dataset(closed.watermark).fingerprint, later.n) == (fingerprint, 2)
    assert rewards_of(lake) == {"e1": 0.0, "e2": 0.5}
    assert (lake.ledger.late_commits, lake.ledger.rewards_late) == (3, 1)


def test_a_repeated_decision_counts_once_even_months_after(lake: Lake) -> None:
    first = decision("e1", context=b'{"age": 1}')
    lake.append([first, reward("e1")], b"1")
    lake.join(AT + 2 * MINUTE)
    lake.append([decision("e1", decided_at=AT + 1000 * MINUTE, context=b'{"age": 2}')], b"2")
    lake.join(AT + 2000 * MINUTE)
    assert (lake.ledger.decisions, lake.ledger.duplicate_decisions, lake.dataset().n) == (1, 1, 1)
    assert lake.find("e1") == [first, reward("e1")]


def test_of_repeated_decisions_the_earliest_counts_in_whatever_order_they_come(lake: Lake) -> None:
    early, late = decision("e1", context=b'{"age": 1}'), decision("e1", context=b'{"age": 2}', decided_at=AT + 5)
    lake.append([late], b"1")
    lake.append([early], b"2")
    (batch,) = lake.join(AT + 2 * MINUTE).interactions()
    assert batch.contexts == [{"age": 1}]
    assert (lake.ledger.decisions, lake.ledger.duplicate_decisions) == (1, 1)
    assert lake.find("e1") == [early]


def test_an_event_is_found_with_all_that_was_logged_of_it(lake: Lake) -> None:
    event = decision("order-17", deferred=True, excluded=(2,), explore=False, variant="challenger", seed=(1 << 64) - 1)
    records = [event, reward("order-17", 0.5, reward_id="r", final=True), activation("order-17")]
    lake.append([decision("e1"), *records, reward("e1")], b"1")
    assert lake.find("order-17") == records
    assert lake.find("order-18") == []


def test_open_records_are_the_events_without_a_label(lake: Lake) -> None:
    lake.append([decision("done"), reward("done"), decision("open"), decision("idle", deferred=True)], b"1")
    data = lake.join(AT + 40 * SECOND)
    assert {record.event_id for record in data.open_records()} == {"open", "idle"}
    lake.append([activation("idle", activated_at=AT + 50 * SECOND), reward("open", rewarded_at=AT + 45 * SECOND)], b"2")
    kinds = [type(record).__name__ for record in lake.dataset().open_records()]
    assert kinds == ["Decision", "Decision", "Reward", "Activation"]
    assert list(lake.join(AT + 5 * MINUTE).open_records()) == []


def test_other_reward_settings_label_all_of_history_anew(lake: Lake) -> None:
    records = [decision("e1"), reward("e1", 1.0), reward("e1", 2.0, rewarded_at=AT + 40 * SECOND), decision("e2")]
    lake.append(records, b"1")
    first = lake.join(AT + 5 * MINUTE)
    summing = Lake(lake.directory, RewardSettings(window=Duration(MINUTE), aggregation="sum", default=-1.0))
    second = summing.join(AT + 6 * MINUTE)
    assert rewards_of(summing) == {"e1": 3.0, "e2": -1.0}
    assert first.fingerprint != second.fingerprint
    assert (summing.ledger.rewards_counted, summing.ledger.rewards_late, summing.ledger.closed) == (2, 0, 2)


def test_pruning_forgets_old_events_and_keeps_name_and_ledger(lake: Lake) -> None:
    for hour in range(6):
        at = AT + hour * 60 * MINUTE
        records = [decision(f"e{hour}", decided_at=at), reward(f"e{hour}", rewarded_at=at + 1), reward("nobody", rewarded_at=at)]
        lake.append(records, b"%d" % hour)
        lake.join(at + 30 * MINUTE)
    before = lake.dataset()
    name, ledger = before.fingerprint, lake.ledger
    assert lake.prune(AT + 3 * 60 * MINUTE) == 3
    assert (lake.dataset().fingerprint, lake.ledger) == (name, ledger)
    assert sorted(rewards_of(lake)) == ["e3", "e4", "e5"]
    assert lake.join(AT + 6 * 60 * MINUTE).n == 3
    assert lake.prune(AT + 1000 * 60 * MINUTE) == 3


def test_a_part_that_is_not_what_the_manifest_says_is_an_error(lake: Lake) -> None:
    lake.append([decision("e1")], b"1")
    lake.join(AT + 2 * MINUTE)
    for path in lake.directory.glob("labels-*.parquet"):
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Corrupt, match="Expected a Parquet file of 1 rows"):
        list(lake.dataset().interactions())
    (lake.directory / "manifest.json").write_text("{}x")
    with pytest.raises(Corrupt, match="Expected the manifest of a lake"):
        Lake(lake.directory, RULES).append([decision("e2")], b"2")


def test_text_that_is_not_utf8_does_not_stop_the_lake(lake: Lake) -> None:
    lake.append([decision("e1", context=b'{"name": "\xff"}'), decision("e2")], b"1")
    assert lake.join(AT + 2 * MINUTE).n == 2
