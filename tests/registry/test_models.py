"""The model store: whole or absent, verified, immutable, never outside its directory."""

import signal
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.errors import Conflict, CorruptModel, InvalidInput, StorageUnavailable, UnknownModel
from rewardloop.registry import ModelStore
from rewardloop.testing.store import model_record


@pytest.fixture
def store(tmp_path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def commit(store: ModelStore, n: int = 1, weights: bytes = b"w" * 1000):
    stage = store.stage()
    (stage / "weights").write_bytes(weights)
    (stage / "scaling.json").write_text("{}")
    return store.commit(stage, msgspec.structs.replace(model_record(n), files={}))


def test_a_committed_model_comes_back_with_the_hashes_of_its_files(store):
    record = commit(store)
    assert set(record.files) == {"weights", "scaling.json"}
    assert store.open("offers.1") == (record, store.path("offers.1"))
    assert (store.path("offers.1") / "weights").read_bytes() == b"w" * 1000
    assert store.exists("offers.1")
    assert not store.exists("offers.2")


def test_nothing_of_a_stage_is_visible_before_its_commit(store, tmp_path):
    stage = store.stage()
    (stage / "weights").write_bytes(b"w")
    assert store.ids() == []
    with pytest.raises(UnknownModel):
        store.open("offers.1")
    store.discard()
    assert list((tmp_path / "models").iterdir()) == []


def test_ids_are_in_the_order_of_their_numbers(store, tmp_path):
    for n in (10, 2, 1):
        commit(store, n)
    (tmp_path / "models" / "notes.txt").write_text("somebody's")
    assert store.ids() == ["offers.1", "offers.2", "offers.10"]


def test_an_intact_model_is_never_changed(store):
    record = commit(store)
    with pytest.raises(Conflict, match="never changed"):
        commit(store, weights=b"other")
    assert store.open("offers.1")[0] == record


@pytest.mark.parametrize("name", ["weights", "scaling.json", "model.json"])
def test_a_lost_file_is_named_with_what_to_do_and_can_be_made_again(store, name):
    record = commit(store)
    (store.path("offers.1") / name).unlink()
    with pytest.raises(CorruptModel, match=rf"{name} is missing.*rewardloop train --rebuild offers\.1"):
        store.open("offers.1")
    assert commit(store) == record
    assert store.open("offers.1")[0] == record


@given(position=st.integers(0, 999), change=st.integers(1, 255))
def test_any_changed_byte_is_found(tmp_path_factory, position, change):
    store = ModelStore(tmp_path_factory.mktemp("models"))
    commit(store)
    path = store.path("offers.1") / "weights"
    raw = bytearray(path.read_bytes())
    raw[position] ^= change
    path.write_bytes(raw)
    with pytest.raises(CorruptModel, match="weights"):
        store.open("offers.1")


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"[" * 10_000, b'{"model_id": 3}'])
def test_a_broken_manifest_is_said_to_be(store, raw):
    commit(store)
    (store.path("offers.1") / "model.json").write_bytes(raw)
    with pytest.raises(CorruptModel, match=r"model\.json is not a manifest"):
        store.open("offers.1")


@pytest.mark.parametrize("files", [{"../../secret": "00"}, {"/etc/passwd": "00"}, {"": "00"}, {"..": "00"}])
def test_a_manifest_cannot_point_outside_its_directory(store, files):
    record = commit(store)
    manifest = store.path("offers.1") / "model.json"
    tampered = msgspec.json.decode(manifest.read_bytes())
    manifest.write_bytes(msgspec.json.encode({**tampered, "files": {**record.files, **files}}))
    with pytest.raises(CorruptModel, match="not this model's manifest"):
        store.open("offers.1")


def test_a_manifest_of_another_model_is_refused(store):
    commit(store, 1)
    commit(store, 2)
    (store.path("offers.1") / "model.json").write_bytes((store.path("offers.2") / "model.json").read_bytes())
    with pytest.raises(CorruptModel, match="not this model's manifest"):
        store.open("offers.1")


@pytest.mark.parametrize(
    "model_id", ["../x.1", "/etc/passwd", "offers.1/../..", ".stage-x", "offers.01", "offers", "", "offers.1\n", "ﬁ.1"]
)
def test_what_is_no_model_id_never_becomes_a_path(store, model_id):
    commit(store)
    for ask in (store.path, store.exists, store.open):
        with pytest.raises(UnknownModel, match="Expected a model id"):
            ask(model_id)


def test_an_unknown_model_is_told_the_nearest(store):
    commit(store, 12)
    with pytest.raises(UnknownModel, match=r"Unknown model `offers\.13`; did you mean `offers\.12`"):
        store.open("offers.13")


def test_a_model_that_was_pruned_is_not_called_unknown(store):
    commit(store, 12)
    with pytest.raises(UnknownModel, match=r"`offers\.3` is no longer kept; .*`rewardloop train --rebuild offers\.3`"):
        store.open("offers.3")


def test_a_link_or_a_folder_is_no_model_file(store, tmp_path):
    stage = store.stage()
    (stage / "weights").symlink_to("/etc/hostname")
    with pytest.raises(InvalidInput, match="plain files, got `weights`"):
        store.commit(stage, model_record(1))
    (stage / "weights").unlink()
    (stage / "folder").mkdir()
    with pytest.raises(InvalidInput, match="plain files, got `folder`"):
        store.commit(stage, model_record(1))


def test_numbers_that_json_cannot_say_are_refused(store):
    stage = store.stage()
    with pytest.raises(InvalidInput, match="finite numbers in a model's manifest, got `nan` for `loss`"):
        store.commit(stage, msgspec.structs.replace(model_record(1), metrics={"loss": float("nan")}))
    assert store.ids() == []


def test_pruning_keeps_the_kept_the_young_and_the_unreadable(store):
    for n in range(1, 6):
        commit(store, n)
    (store.path("offers.2") / "model.json").write_text("broken")
    assert store.prune({"offers.1"}, before=1_005) == ("offers.3", "offers.4")
    assert store.ids() == ["offers.1", "offers.2", "offers.5"]


def test_a_new_stage_gives_up_the_former(store):
    first = store.stage()
    assert store.stage() != first
    assert not first.exists()


def test_the_stage_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(store, tmp_path):
    body = "import sys, time; from pathlib import Path; from rewardloop.registry import ModelStore\n"
    body += "store = ModelStore(Path(sys.argv[1])); print(store.stage(), flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", body, str(tmp_path / "models")], stdout=subprocess.PIPE, text=True)
    name = process.stdout.readline().strip().rpartition("/")[2]
    theirs = tmp_path / "models" / name
    store.stage()
    assert theirs.is_dir()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    store.stage()
    assert not theirs.exists()


def test_what_a_kill_left_of_a_removal_is_swept(store, tmp_path):
    commit(store)
    store.path("offers.1").rename(tmp_path / "models" / ".trash-1-offers.1")
    commit(store, 2)
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["offers.2"]


def test_a_place_where_no_directory_can_be_is_unavailable(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(StorageUnavailable, match="Cannot use"):
        ModelStore(tmp_path / "models").stage()


def test_a_kill_at_any_instant_leaves_each_model_whole_or_absent(store, tmp_path):
    body = """
import sys, msgspec
from pathlib import Path
from rewardloop.registry import ModelStore
from rewardloop.testing.store import model_record
store = ModelStore(Path(sys.argv[1]))
for n in range(int(sys.argv[2]), 10**6):
    stage = store.stage()
    (stage / "weights").write_bytes(b"w" * 100_000)
    store.commit(stage, model_record(n))
    print(n, flush=True)
"""
    acknowledged: list[int] = []
    for start in (1, 1_000, 2_000):
        command = [sys.executable, "-c", body, str(tmp_path / "models"), str(start)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        acknowledged += [int(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.communicate()[0].split()]
    for model_id in store.ids():
        assert store.open(model_id)[0].model_id == model_id
    assert {f"offers.{n}" for n in acknowledged} <= set(store.ids())
