"""What serves networks tells nobody of it: the library's own reports are off before it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import rewardloop.policies.onnx, onnxruntime
onnxruntime.SessionOptions()
"""


def test_loading_the_engine_leaves_no_session_no_device_and_no_report_to_be_sent(tmp_path: Path) -> None:
    given = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "CI")}
    places = {"TMPDIR": "tmp", "HOME": "home", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "share"}
    for name, folder in places.items():
        (tmp_path / folder).mkdir()
        given[name] = str(tmp_path / folder)
    subprocess.run([sys.executable, "-c", SCRIPT], env=given, check=True)
    assert [path for folder in places.values() for path in (tmp_path / folder).iterdir()] == []
