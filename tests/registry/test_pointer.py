"""The pointer to the hosted model, and the watch on it."""

import signal
import subprocess
import sys

import pytest

from rewardloop.errors import Corrupt, StorageUnavailable, UnknownModel
from rewardloop.registry import Hosted, HostedWatch, read_hosted, write_hosted


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "offers" / "hosted.json"
    assert read_hosted(path) is None
    write_hosted(path, Hosted(model_id="offers.3"))
    assert read_hosted(path) == Hosted(model_id="offers.3")
    assert [file.name for file in path.parent.iterdir()] == ["hosted.json"]


def test_a_watch_tells_once_of_each_change(tmp_path):
    path = tmp_path / "hosted.json"
    watch = HostedWatch(path)
    assert watch.changed() is None
    for n in range(1, 200):
        write_hosted(path, Hosted(model_id=f"offers.{n}"))
        assert watch.changed() == Hosted(model_id=f"offers.{n}")
        assert watch.changed() is None


def test_no_change_is_missed_however_fast_they_follow(tmp_path):
    path = tmp_path / "hosted.json"
    times = []
    for n in range(1, 100):
        write_hosted(path, Hosted(model_id=f"offers.{n}"))
        times.append(path.stat().st_mtime_ns)
    assert times == sorted(set(times))


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b'{"model_id": 3}', b'{"model_id": "../x"}', b"[" * 10_000])
def test_a_pointer_that_says_nothing_is_corrupt_and_told_once(tmp_path, raw):
    path = tmp_path / "hosted.json"
    path.write_bytes(raw)
    watch = HostedWatch(path)
    with pytest.raises(Corrupt, match=r"hosted\.json does not say which model is hosted .*; deploy a model"):
        watch.changed()
    assert watch.changed() is None


def test_fields_of_a_later_version_are_skipped(tmp_path):
    path = tmp_path / "hosted.json"
    path.write_text('{"model_id": "offers.1", "nearer": {"share": 0.1}}')
    assert read_hosted(path) == Hosted(model_id="offers.1")


def test_what_is_no_model_id_is_not_written(tmp_path):
    with pytest.raises(UnknownModel):
        write_hosted(tmp_path / "hosted.json", Hosted(model_id="../x"))
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_no_file_can_be_is_unavailable(tmp_path):
    (tmp_path / "offers").write_text("a file")
    with pytest.raises(StorageUnavailable, match="nothing was changed"):
        write_hosted(tmp_path / "offers" / "hosted.json", Hosted(model_id="offers.1"))


def test_a_kill_at_any_instant_leaves_a_whole_pointer(tmp_path):
    body = """
import sys
from pathlib import Path
from rewardloop.registry import Hosted, write_hosted
n = 0
while True:
    n += 1
    write_hosted(Path(sys.argv[1]), Hosted(model_id=f"offers.{n}"))
    print(n, flush=True)
"""
    path = tmp_path / "hosted.json"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", body, str(path)], stdout=subprocess.PIPE, text=True)
        acknowledged = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.communicate()[0].split()]
        assert read_hosted(path).model_id in {f"offers.{acknowledged[-1]}", f"offers.{acknowledged[-1] + 1}"}
