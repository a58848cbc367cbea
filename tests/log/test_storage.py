"""Where nothing can be written: a clear error, nothing acknowledged, and on again as soon as it can be."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import builders
from rewardloop.errors import Conflict, DirectoryInUse, InvalidInput, StorageUnavailable
from rewardloop.log import Cursor, LogReader, LogWriter
from rewardloop.log.faults import is_full, write_error
from rewardloop.settings import LogSettings
from rewardloop.testing.log import by_writer, drain, numbered

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import builders
from rewardloop.errors import StorageUnavailable
from rewardloop.log import LogWriter
from rewardloop.settings import LogSettings
from rewardloop.testing.log import numbered

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = LogWriter(Path(sys.argv[1]), LogSettings(durability=sys.argv[2]), "w")
told = 0

def commit(size):
    global told
    records = [builders.decision(f"w-{n}", context=b"x" * 3_000) for n in range(told, told + size)]
    writer.commit(records)
    told += size

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

commit(3)
for room in (40_000, 20_000, 100):
    limit(room)
    refused = 0
    for size in (1, 40, 2, 40, 1) * 4:
        try:
            commit(size)
        except StorageUnavailable as error:
            assert sys.argv[1] in str(error), error
            refused += 1
    assert refused >= 8, (room, refused)
    limit(resource.RLIM_INFINITY)
    commit(40)
    commit(1)
print(told)
writer.close()
"""


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_a_full_disk_refuses_and_then_recovers(tmp_path: Path, durability: str) -> None:
    arguments = [sys.executable, "-c", FULL_DISK, str(tmp_path), durability]
    """A write that failed for anything but a lack of space (here, a limit) also leaves its segment alone from then on."""
    told = int(subprocess.run(arguments, check=True, capture_output=True, cwd=Path(__file__).parents[1]).stdout)
    with LogReader(tmp_path) as reader:
        assert by_writer(drain(reader, Cursor())[0]) == {"w": list(range(told))}
    assert len(list(tmp_path.glob("*.segment"))) > 1


@pytest.mark.parametrize(("error", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EFBIG, False), (errno.EIO, False)])
def test_only_a_lack_of_space_is_waited_for(error: int, full: bool) -> None:
    """A file that may not grow, or a disk that is broken, will not do better: the next segment is tried."""
    assert is_full(OSError(error, "")) == full
    assert ("No space left" in str(write_error(OSError(error, ""), Path("w")))) == full


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match=r"file/log"):
        LogWriter(tmp_path / "file" / "log", LogSettings(), "w")
    with pytest.raises(StorageUnavailable, match=r"file/log"), LogReader(tmp_path / "file" / "log") as reader:
        reader.read()


def test_a_directory_that_is_gone_refuses_until_it_is_back(tmp_path: Path) -> None:
    directory, away = tmp_path / "log", tmp_path / "away"
    with LogWriter(directory, LogSettings(), "w") as writer, LogReader(directory) as reader:
        directory.rename(away)
        with pytest.raises(StorageUnavailable, match="w-000001"):
            writer.commit(numbered([0]))
        away.rename(directory)
        writer.commit(numbered([1]))
        assert by_writer(reader.read()[0]) == {"w": [1]}


def test_a_record_that_cannot_be_encoded_leaves_the_writer_as_it_was(tmp_path: Path) -> None:
    with LogWriter(tmp_path, LogSettings(), "w") as writer, LogReader(tmp_path) as reader:
        with pytest.raises(OverflowError):
            writer.commit([builders.decision("w-0"), builders.decision("w-1", seed=2**64)])
        writer.commit(numbered([2]))
        assert by_writer(reader.read()[0]) == {"w": [2]}


def test_a_name_is_held_by_one_writer(tmp_path: Path) -> None:
    with LogWriter(tmp_path, LogSettings(), "w") as writer:
        writer.commit(numbered([0]))
        with pytest.raises(DirectoryInUse, match=r"w\.lock"):
            LogWriter(tmp_path, LogSettings(), "w")
        writer.commit(numbered([1]))
    assert [path.name for path in tmp_path.iterdir()] == ["w-000001.segment"]


def test_a_closed_writer_says_so(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, LogSettings(), "w")
    writer.close()
    with pytest.raises(Conflict, match="closed"):
        writer.commit(numbered([0]))


@pytest.mark.parametrize("name", ["", "a/b", "../a", "-a", ".a", "a" * 129, "é"])
def test_a_writer_needs_a_name_that_a_file_can_bear(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="writer's name"):
        LogWriter(tmp_path, LogSettings(), name)


READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from rewardloop.log import Cursor, LogReader
from rewardloop.testing.log import by_writer, drain

if os.getuid() == 0:
    os.setuid(65534)
directory = Path(sys.argv[1])
assert not os.access(directory, os.W_OK)
with LogReader(directory) as reader:
    assert by_writer(drain(reader, Cursor())[0]) == {"w": [0, 1]}
"""


def test_segments_are_read_where_nothing_may_be_written(tmp_path: Path) -> None:
    """The mode of a directory binds root only once it has become somebody else."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with LogWriter(directory, LogSettings(), "w") as writer:
            writer.commit(numbered([0, 1]))
            directory.chmod(0o555)
            subprocess.run([sys.executable, "-c", READ_AS_NOBODY, name], check=True)
            directory.chmod(0o755)
        directory.chmod(0o555)
        subprocess.run([sys.executable, "-c", READ_AS_NOBODY, name], check=True)
        directory.chmod(0o755)
        assert [path.name for path in directory.iterdir()] == ["w-000001.segment"]
