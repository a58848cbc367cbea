"""A data directory that cannot be written, such as a backup that is mounted to be looked at: everything in it can be read."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rewardloop.loop.experiment import Experiment
from rewardloop.settings import ExperimentSettings

LOOKED_AT_AS_NOBODY = """
import os, sys
from pathlib import Path
from rewardloop.errors import StorageUnavailable
from rewardloop.loop.experiment import Experiment
from rewardloop.loop.status import statuses

def seen(data):
    with Experiment.open("offers", data) as offers:
        return offers.audit("e0"), offers.evaluate(), offers.doctor(), offers.explain_event("e0"), statuses(Path(data))[0].ledger

writable, unwritable = sys.argv[1:]
before = seen(writable)
if os.getuid() == 0:
    os.setuid(65534)
assert not os.access(unwritable, os.W_OK)
assert seen(unwritable) == before
with Experiment.open("offers", unwritable) as offers:
    try:
        offers.deploy("offers.1")
    except StorageUnavailable:
        sys.exit(0)
sys.exit("it was written to")
"""


LOOKED_AT_WHEN_FULL = """
import resource, sys
from pathlib import Path
from rewardloop.errors import StorageUnavailable
from rewardloop.loop.experiment import Experiment
from rewardloop.loop.status import statuses

def seen(data):
    with Experiment.open("offers", data) as offers:
        return offers.audit("e0"), offers.newest(5), offers.doctor(), statuses(Path(data))

[data] = sys.argv[1:]
before = seen(data)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
assert seen(data) == before
with Experiment.open("offers", data) as offers:
    try:
        offers.deploy("offers.1")
    except StorageUnavailable as error:
        print(error)
"""


def made(data: Path) -> None:
    with Experiment.open(ExperimentSettings(experiment="offers", actions=("a", "b")), data) as offers:
        for i in range(60):
            offers.decide({"x": i % 2}, event_id=f"e{i}")
            offers.reward(f"e{i}", float(i % 3 == 0))
        offers.train()


def everybody_may_read(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture
def unwritable(tmp_path: Path):
    with tempfile.TemporaryDirectory() as name:
        made(tmp_path / "data")
        copied = Path(name) / "data"
        subprocess.run(["cp", "-r", str(tmp_path / "data"), str(copied)], check=True)
        Path(name).chmod(0o755)
        everybody_may_read(copied)
        yield copied
        for path in [copied, *copied.rglob("*")]:
            path.chmod(0o755)


def test_what_cannot_be_written_can_be_looked_at(tmp_path: Path, unwritable: Path) -> None:
    before = sorted(path.name for path in unwritable.rglob("*"))
    subprocess.run([sys.executable, "-c", LOOKED_AT_AS_NOBODY, str(tmp_path / "data"), str(unwritable)], check=True)
    assert sorted(path.name for path in unwritable.rglob("*")) == before


def test_on_a_full_disk_everything_can_be_looked_at(tmp_path: Path) -> None:
    made(tmp_path)
    done = subprocess.run([sys.executable, "-c", LOOKED_AT_WHEN_FULL, str(tmp_path)], check=True, capture_output=True, text=True)
    assert "cannot be written; is its disk full?" in done.stdout
