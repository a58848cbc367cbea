"""The catalog in SQLite: its laws, many processes at once, kills, and a disk that refuses."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rewardloop.errors import Conflict, Corrupt, StorageUnavailable
from rewardloop.ids import MAX_TAG
from rewardloop.registry import Catalog, database
from rewardloop.settings import ExperimentSettings
from rewardloop.testing.store import OFFERS, CatalogContract, host, model_record


@pytest.fixture
def catalog(tmp_path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "data") as opened:
        yield opened


class TestSQLiteCatalog(CatalogContract):
    pass


PRELUDE = """
import sys
from pathlib import Path
from rewardloop.registry import Catalog
from rewardloop.settings import ExperimentSettings
from rewardloop.testing.store import OFFERS, host, model_record
data = Path(sys.argv[1])
"""


def start(body: str, data) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + body, str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen) -> list[str]:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out.split()


def test_processes_that_open_a_new_directory_at_once_agree(tmp_path):
    body = """
with Catalog(data) as catalog:
    entry = catalog.register(ExperimentSettings(experiment="e" + sys.argv[1][-1]), 1)
    for name in "abcdef":
        catalog.register(ExperimentSettings(experiment=name), 1)
    print(catalog.salt)
"""
    salts = {salt for process in [start(body, tmp_path / "data") for _ in range(4)] for salt in finish(process)}
    assert len(salts) == 1
    with Catalog(tmp_path / "data") as catalog:
        tags = [entry.tag for entry in catalog.experiments()]
        assert tags == list(range(1, 8))


def test_a_number_is_given_once_whoever_asks(tmp_path, catalog):
    catalog.register(OFFERS, 1)
    body = "with Catalog(data) as catalog:\n    print(*[catalog.next_model_number('offers') for _ in range(50)])"
    numbers = [int(n) for process in [start(body, tmp_path / "data") for _ in range(4)] for n in finish(process)]
    assert sorted(numbers) == list(range(1, 201))


def test_what_was_acknowledged_before_a_kill_is_there_after_it(tmp_path, catalog):
    catalog.register(OFFERS, 1)
    body = """
with Catalog(data) as catalog:
    while True:
        n = catalog.next_model_number("offers")
        catalog.add_model(model_record(n))
        host(catalog, f"offers.{n}")
        print(n, flush=True)
"""
    for _ in range(4):
        process = start(body, tmp_path / "data")
        acknowledged = [int(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.communicate()[0].split()]
        assert {f"offers.{n}" for n in acknowledged} <= {record.model_id for record in catalog.models("offers")}
        assert catalog.next_model_number("offers") > max(acknowledged)
        hosted = [deployment.model_id for deployment in catalog.deployments("offers")]
        assert [m for m in hosted if int(m.partition(".")[2]) in acknowledged] == [f"offers.{n}" for n in acknowledged]


def test_a_salt_is_made_once_and_has_64_bits(tmp_path):
    with Catalog(tmp_path, entropy=lambda n: b"\xff" * n) as catalog:
        assert catalog.salt == (1 << 64) - 1
    with Catalog(tmp_path, entropy=lambda n: b"\x00" * n) as catalog:
        assert catalog.salt == (1 << 64) - 1


def test_a_directory_has_room_for_as_many_experiments_as_there_are_tags(tmp_path, catalog):
    catalog.register(OFFERS, 1)
    with sqlite3.connect(tmp_path / "data" / "catalog.db") as connection:
        connection.execute("UPDATE experiments SET tag = ?", (MAX_TAG,))
    connection.close()
    with pytest.raises(Conflict, match="at most 4095 experiments"):
        catalog.register(ExperimentSettings(experiment="one-more"), 1)


def test_a_catalog_of_another_version_is_left_alone(tmp_path, catalog):
    with sqlite3.connect(tmp_path / "data" / "catalog.db") as connection:
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'version'")
    connection.close()
    with pytest.raises(Conflict, match="Expected a catalog of version 1, got 2"):
        Catalog(tmp_path / "data")


def test_a_file_that_is_no_catalog_is_corrupt(tmp_path):
    (tmp_path / "catalog.db").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(Corrupt, match=r"catalog\.db is damaged, or no catalog"):
        Catalog(tmp_path)


@pytest.mark.parametrize("offset", [4096, 8192, 16384])
def test_a_damaged_catalog_is_said_to_be(tmp_path, offset):
    with Catalog(tmp_path) as catalog:
        catalog.register(OFFERS, 1)
        host(catalog, *[f"offers.{n}" for n in range(1, 30)])
    path = tmp_path / "catalog.db"
    raw = bytearray(path.read_bytes())
    raw[offset:] = b"\x5a" * (len(raw) - offset)
    path.write_bytes(raw)
    with pytest.raises(Corrupt):
        read_everything(tmp_path)


def read_everything(data) -> None:
    with Catalog(data) as catalog:
        catalog.register(OFFERS, 1)
        catalog.deployments("offers")


@pytest.mark.parametrize("column", ["settings", "record"])
def test_a_document_that_cannot_be_read_is_corrupt(tmp_path, catalog, column):
    catalog.register(OFFERS, 1)
    catalog.add_model(model_record(1))
    table = {"settings": "experiments", "record": "models"}[column]
    with sqlite3.connect(tmp_path / "data" / "catalog.db") as connection:
        connection.execute(f"UPDATE {table} SET {column} = '{{'")
    connection.close()
    with pytest.raises(Corrupt):
        catalog.experiments() and catalog.models("offers")


def test_a_catalog_locked_for_too_long_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with Catalog(tmp_path) as catalog:
        catalog.register(OFFERS, 1)
        holder = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="database is locked; nothing was changed"):
            catalog.next_model_number("offers")
        assert catalog.experiment("offers").settings == OFFERS
        holder.close()
        assert catalog.next_model_number("offers") == 1


def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path, catalog):
    catalog.register(OFFERS, 1)
    catalog.add_model(model_record(1))
    body = """
import resource
from rewardloop.errors import StorageUnavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
with Catalog(data) as catalog:
    try:
        for n in range(2, 1000):
            catalog.add_model(model_record(n))
            last = n
    except StorageUnavailable as error:
        print(last, type(error).__name__)
"""
    last, name = finish(start(body, tmp_path / "data"))
    assert name == "StorageUnavailable"
    assert len(catalog.models("offers")) == int(last)
    catalog.add_model(model_record(2000))
    assert catalog.newest_model("offers") == model_record(2000)


def test_a_place_where_no_directory_can_be_is_unavailable(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageUnavailable, match="Cannot use"):
        Catalog(tmp_path / "data")


def test_a_catalog_may_be_used_before_and_after_a_fork(tmp_path, catalog):
    catalog.register(OFFERS, 1)
    body = """
import os
with Catalog(data) as catalog:
    print(catalog.next_model_number("offers"), flush=True)
    child = os.fork()
    print(catalog.next_model_number("offers"), flush=True)
    if child:
        os.waitpid(child, 0)
        print(catalog.next_model_number("offers"))
"""
    numbers = [int(n) for n in finish(start(body, tmp_path / "data"))]
    assert sorted(numbers) == [1, 2, 3, 4]
